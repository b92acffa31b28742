import { timingSafeEqual } from 'node:crypto';

export interface AnswerForm {
  readonly csrf: string;
  readonly answer: 'allow' | 'deny';
}
export interface DeviceForm extends AnswerForm {
  readonly user_code: string;
}

/** Reads what the page's form sends; undefined for anything else, a field twice included. */
export function readDeviceForm(text: string): DeviceForm | undefined {
  const form = readAnswerForm(text);
  const codes = new URLSearchParams(text).getAll('user_code');
  return form === undefined || codes.length !== 1
    ? undefined
    : { ...form, user_code: codes[0] ?? '' };
}

export function readAnswerForm(text: string): AnswerForm | undefined {
  const fields = new URLSearchParams(text);
  if (['csrf', 'answer'].some((name) => fields.getAll(name).length !== 1)) return undefined;
  const answer = fields.get('answer');
  if (answer !== 'allow' && answer !== 'deny') return undefined;
  return { csrf: fields.get('csrf') ?? '', answer };
}

/** Whether a page of this login has sent it. */
export function isOwnForm({ csrf }: { readonly csrf: string }, given: string): boolean {
  const [ours, theirs] = [Buffer.from(csrf), Buffer.from(given)];
  return ours.length > 0 && ours.length === theirs.length && timingSafeEqual(ours, theirs);
}
