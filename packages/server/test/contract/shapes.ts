import fc from 'fast-check';

/** As much of JSON Schema as TypeBox writes. */
export interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly required?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** Text as nobody would type it. */
export const EVIL_TEXTS = [
  '\u0000',
  'a\u0000b',
  '\ud800',
  'x\udfff',
  '\u202egpj.exe',
  '\u001b]0;owned\u0007',
  "'; drop table users; --",
  '%',
  '_',
  '\\',
  '$1',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  'NaN',
  'null',
  '\uffff',
  '𝕏'.repeat(20),
  ' ',
  '',
];

interface Known {
  readonly ids: readonly string[];
  readonly names: readonly string[];
}

const UUID_PATTERN = '[0-9a-f]{8}-';

/** Values that a schema allows, many of them made of what is there: ids, names. */
export function shapeOf(schema: Schema, known: Known): fc.Arbitrary<unknown> {
  const of = (inner: Schema): fc.Arbitrary<unknown> => shapeOf(inner, known);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const union = schema.anyOf ?? schema.oneOf;
  if (union !== undefined) return fc.oneof(...union.map(of));
  switch (schema.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return fc.boolean();
    case 'integer':
    case 'number':
      return fc.integer({ min: schema.minimum ?? -5, max: schema.maximum ?? 2 ** 40 });
    case 'string':
      return textOf(schema, known);
    case 'array':
      return fc.array(of(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 3, (schema.minItems ?? 0) + 2),
      });
    case 'object':
      return objectOf(schema, of);
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function textOf(schema: Schema, known: Known): fc.Arbitrary<string> {
  const { pattern, minLength = 0, maxLength = 60 } = schema;
  if (pattern?.includes(UUID_PATTERN)) return fc.constantFrom(...known.ids);
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const fits = (text: string): boolean => text.length >= minLength && text.length <= maxLength;
  const plain = 'x'.repeat(Math.max(minLength, 1));
  const most = Math.min(maxLength, minLength + 40);
  return fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(...known.names.filter(fits), plain) },
    { weight: 2, arbitrary: fc.constantFrom(...EVIL_TEXTS.filter(fits), plain) },
    {
      weight: 1,
      arbitrary: fc.string({ unit: 'binary', minLength, maxLength: most }).filter(fits),
    },
    { weight: 1, arbitrary: fc.constant('y'.repeat(maxLength)) },
  );
}

function objectOf(
  schema: Schema,
  of: (inner: Schema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> {
  const { additionalProperties: more } = schema;
  const [free = typeof more === 'object' ? more : undefined] = Object.values(
    schema.patternProperties ?? {},
  );
  if (free !== undefined)
    return fc.dictionary(fc.constantFrom('env', 'justification', 'tier', '__proto__'), of(free), {
      maxKeys: 2,
    });
  const fields = Object.entries(schema.properties ?? {});
  return fc.record(Object.fromEntries(fields.map(([name, inner]) => [name, of(inner)])), {
    requiredKeys: [...(schema.required ?? [])] as never[],
  });
}

/** The value with something else at one place, or with a field more. */
export function broken(value: unknown, place: readonly number[], other: unknown): unknown {
  const [first = 0, ...rest] = place;
  if (value === null || typeof value !== 'object') return other;
  const keys = Object.keys(value);
  const key = keys[first % (keys.length + 1)] ?? 'extra';
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...value] as never) : { ...value };
  copy[key] = rest.length === 0 ? other : broken(copy[key], rest, other);
  return copy;
}

/** Anything at all that JSON can say. */
export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...EVIL_TEXTS, null, true, -1, 0, 1.5, 1e308, -1e308, 2 ** 53, 2 ** 31),
  fc.constantFrom<unknown>([], {}, [[]], { a: {} }, 'z'.repeat(5000)),
  fc.jsonValue({ maxDepth: 3 }),
);
