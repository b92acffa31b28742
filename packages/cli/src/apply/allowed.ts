import { type DocumentKind, FILE_DOCUMENTS } from '@postern/shared';

/** As much of JSON Schema as the shared schemas use. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly const?: unknown;
  readonly additionalProperties?: unknown;
}

/**
 * What may stand at a place of a document: the values of a field that has a closed list of
 * them, else the fields beside it. Empty when it cannot be said.
 */
export function allowedAt(kind: string, path: readonly (string | number)[]): string[] {
  const root: readonly Schema[] = Object.hasOwn(FILE_DOCUMENTS, kind)
    ? [FILE_DOCUMENTS[kind as DocumentKind] as Schema]
    : [];
  const here = path.reduce<readonly Schema[]>(
    (found, step) => found.flatMap((s) => below(s, step)),
    root,
  );
  const values = here
    .flatMap(spread)
    .flatMap((s) => (s.const === undefined ? [] : [String(s.const)]));
  if (values.length > 0) return unique(values);
  const parents = path
    .slice(0, -1)
    .reduce<readonly Schema[]>((found, step) => found.flatMap((s) => below(s, step)), root);
  const names = parents.flatMap(spread).flatMap((s) => Object.keys(s.properties ?? {}));
  return unique(names.filter((name) => name !== 'id'));
}

const spread = (schema: Schema): readonly Schema[] =>
  schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap(spread);

const below = (schema: Schema, step: string | number): readonly Schema[] =>
  spread(schema).flatMap((s) => {
    const next = s.items ?? s.properties?.[String(step)];
    return next === undefined ? [] : [next];
  });

const unique = (words: readonly string[]): string[] => [...new Set(words)];
