import type { RequestField } from '@postern/shared';
import type { World } from '../context.ts';
import { isInteractive } from '../context.ts';
import { usage } from '../failure.ts';

export type Answers = Readonly<Record<string, string>>;

/** The field that `--reason` answers. */
const REASON = 'justification';

/**
 * What was given with flags. `--reason` counts only where the request type asks for one.
 * @throws Failure 64
 */
export function givenAnswers(
  fields: readonly RequestField[],
  reason: string | undefined,
  pairs: readonly string[],
): Answers {
  const answers: Record<string, string> = {};
  if (reason !== undefined && fields.some((f) => f.key === REASON)) answers[REASON] = reason;
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at);
    if (at < 1 || !fields.some((f) => f.key === key)) {
      const keys = fields.map((f) => f.key).join(', ');
      throw usage(`--answer ${pair} names no field.`, `Pass KEY=TEXT; the keys are ${keys}.`);
    }
    answers[key] = pair.slice(at + 1);
  }
  for (const field of fields) {
    const answer = answers[field.key];
    const why = answer === undefined ? undefined : faultOf(field, answer);
    if (why !== undefined) throw usage(`${field.key}: ${why}`, `Pass ${flagOf(field)} anew.`);
  }
  return answers;
}

/** Asks for the fields that are not answered yet. @throws Failure 64 without a terminal. */
export async function completeAnswers(
  world: World,
  fields: readonly RequestField[],
  given: Answers,
  say: (line: string) => void,
): Promise<Answers> {
  const open = fields.filter((field) => given[field.key] === undefined);
  if (!isInteractive(world)) {
    const missing = open.filter(isRequired);
    if (missing.length === 0) return given;
    throw usage(
      `"${missing[0]?.prompt}" has to be answered, and there is no terminal to ask.`,
      `Pass ${missing.map(flagOf).join(' and ')}.`,
    );
  }
  const answers: Record<string, string> = { ...given };
  for (const field of open) {
    if (field.type === 'choice')
      say(
        choices(field)
          .map((c) => `  ${c.value}  ${c.label}`)
          .join('\n'),
      );
    const answer = await world.prompt.text({
      message: `${field.prompt.replace(/[?:.]\s*$/, '')}:`,
      check: (text) => (text === '' && !isRequired(field) ? undefined : faultOf(field, text)),
    });
    if (answer !== '') answers[field.key] = answer;
  }
  return answers;
}

/** Left out, a field is required. */
const isRequired = (field: RequestField): boolean => field.required !== false;

const flagOf = (field: RequestField): string =>
  field.key === REASON ? '--reason TEXT' : `--answer ${field.key}=TEXT`;

const choices = (field: RequestField & { type: 'choice' }) =>
  field.options.map((o) =>
    typeof o === 'string' ? { value: o, label: '' } : { value: o.value, label: o.label ?? '' },
  );

/** Why an answer will not do, as far as it can be told here; the service decides. */
function faultOf(field: RequestField, text: string): string | undefined {
  if (text === '') return isRequired(field) ? 'An answer is needed.' : undefined;
  switch (field.type) {
    case 'text':
      return text.length > (field.max_length ?? 4000)
        ? `At most ${field.max_length ?? 4000} characters.`
        : undefined;
    case 'choice': {
      const values = choices(field).map((c) => c.value);
      return values.includes(text) ? undefined : `One of: ${values.join(', ')}.`;
    }
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text))
        ? undefined
        : 'A date such as 2026-12-31.';
    case 'duration':
      return /^[1-9][0-9]{0,7}[smhd]$/.test(text) ? undefined : 'A time such as 30m, 8h or 7d.';
  }
}
