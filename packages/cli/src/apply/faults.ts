import type { Problem } from '@postern/shared';
import { allowedAt } from './allowed.ts';
import type { SourceDocument } from './documents.ts';

type Fault = NonNullable<Problem['errors']>[number];

/** Codes after which it helps to read what may stand there. */
const LISTED = /unknown_field|unknown_value|required|missing_field|const|enum|anyOf|union/;

/** The faults that the service found, each at its place in the files. */
export function placed(faults: readonly Fault[], documents: readonly SourceDocument[]): string[] {
  return faults.map((fault) => {
    const [root, index, ...path] = pathOf(fault.pointer);
    const document = root === 'documents' ? documents[Number(index)] : undefined;
    if (document === undefined) return `${fault.pointer || '/'}: ${fault.detail}`;
    const name = path.length > 0 ? `${path.join('.')}: ` : '';
    const says = /allowed/.test(fault.detail) || !LISTED.test(fault.code);
    const words = says ? [] : allowedAt(String(document.value.kind), path);
    const allowed = words.length > 0 ? `; allowed: ${words.join(', ')}` : '';
    return `${document.place.at(path)}: ${name}${fault.detail}${allowed}`;
  });
}

/** The steps of a JSON Pointer (RFC 6901). */
export const pathOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
