import { DOCUMENT_KINDS } from '@postern/shared';
import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { Place } from './place.ts';

/** One YAML document of one file, with the way back to where each value stands. */
export interface SourceDocument {
  readonly place: Place;
  readonly value: Readonly<Record<string, unknown>>;
}

export type Read =
  | { readonly ok: true; readonly documents: readonly SourceDocument[] }
  | { readonly ok: false; readonly faults: readonly string[] };

/** Reads the documents of one file; each fault begins with `file:line:column`. */
export function readDocuments(file: string, text: string): Read {
  const counter = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: counter, prettyErrors: false });
  const documents = Array.isArray(parsed) ? parsed : [];
  const faults: string[] = [];
  const read: SourceDocument[] = [];
  for (const document of documents as Document.Parsed[]) {
    const place = new Place(file, document, counter);
    for (const error of [...document.errors, ...document.warnings])
      faults.push(`${place.atOffset(error.pos[0])}: ${error.message}`);
    if (document.errors.length > 0) continue;
    const value = toValue(document, place, faults);
    if (value !== undefined) read.push({ place, value });
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, documents: read };
}

/** @returns undefined for nothing, and for what is no document of a kind that there is; why goes into `faults`. */
function toValue(
  document: Document.Parsed,
  place: Place,
  faults: string[],
): SourceDocument['value'] | undefined {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    faults.push(`${place.at([])}: ${(error as Error).message}`);
    return undefined;
  }
  // Nothing between two `---`.
  if (value === null) return undefined;
  if (typeof value !== 'object' || Array.isArray(value)) {
    faults.push(`${place.at([])}: a document is a mapping with a kind`);
    return undefined;
  }
  const { kind } = value as { kind?: unknown };
  if (!DOCUMENT_KINDS.some((known) => known === kind)) {
    const what = kind === undefined ? 'kind is missing' : 'there is no such kind';
    faults.push(`${place.at(['kind'])}: ${what}; allowed: ${DOCUMENT_KINDS.join(', ')}`);
    return undefined;
  }
  return value as SourceDocument['value'];
}
