import { printable } from '@postern/shared';
import { type FieldError, Refusal } from './errors.ts';

/**
 * Whether a name or a line of text is what it looks like: no control, bidi or invisible
 * character, and nothing that a database would refuse to store.
 */
export const isPlainText = (text: string): boolean =>
  printable(text) === text && text.trim() === text && text !== '';

/** One fault for each field that is not plain. Absent and null fields have none. */
export function plainTextFaults(
  fields: Readonly<Record<string, string | null | undefined>>,
): FieldError[] {
  return Object.entries(fields)
    .filter(([, text]) => text != null && !isPlainText(text))
    .map(([pointer]) => ({
      pointer,
      code: 'unprintable',
      detail: 'must be one line of plain text, without control or invisible characters',
    }));
}

/** @throws Refusal `invalid_request` when there are any. */
export function refuseFaults(faults: readonly FieldError[]): void {
  const [first] = faults;
  if (first === undefined) return;
  const where = first.pointer === '' ? '' : `${first.pointer}: `;
  throw new Refusal('invalid_request', `${where}${first.detail}`, { errors: faults });
}
