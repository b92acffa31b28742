import { type Fields, parseFields } from '../platform/forms.ts';

/** What the page's form sends. */
const FIELDS = ['decision', 'comment', 'access_token', 'csrf', 'etag', 'step'] as const;
type FieldName = (typeof FIELDS)[number];
export type FormFields = Fields<FieldName>;

export const LONGEST_COMMENT = 2_000;

export interface DecisionForm {
  readonly decision: 'approve' | 'deny';
  readonly comment: string | null;
  /** null: he decides with the login of his browser. */
  readonly access_token: string | null;
  readonly etag: string;
  readonly step: number;
}

export const parseForm = (text: string): FormFields | undefined => parseFields(FIELDS, text);

/** @returns the form, or what the person who filled it in has to do. */
export function readForm(fields: FormFields): DecisionForm | string {
  const { decision, access_token = '', csrf = '', etag = '', step = '' } = fields;
  const comment = commentOf(fields);
  if (decision !== 'approve' && decision !== 'deny') return 'Choose to approve or to deny.';
  if ([...(comment ?? '')].length > LONGEST_COMMENT)
    return `The comment is too long: at most ${LONGEST_COMMENT} characters.`;
  if (decision === 'deny' && comment === null)
    return 'Say in the comment why you deny: the requester reads it.';
  if (!/^[0-9]{1,20}$/.test(etag) || !/^[0-9]{1,2}$/.test(step))
    return 'The form does not say what was shown. Read it again and decide on what is there now.';
  const token = access_token.trim();
  return {
    decision,
    comment,
    access_token: token === '' && csrf !== '' ? null : token,
    etag,
    step: Number(step),
  };
}

/** Browsers send line breaks as CR LF. */
function commentOf({ comment = '' }: FormFields): string | null {
  const text = comment.replaceAll(/\r\n?/g, '\n').trim();
  return text === '' ? null : text;
}
