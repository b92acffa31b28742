import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { FastifyInstance } from 'fastify';

/**
 * Bodies are taken as they are: nothing is coerced, dropped or filled in. Paths and query
 * strings are text, so there numbers, booleans and single-valued lists are read from it.
 * One error at a time: a body made to fail in 100,000 places costs no more than one.
 */
const COMMON = {
  allErrors: false,
  removeAdditional: false,
  useDefaults: false,
  discriminator: true,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  strictTuples: false,
} as const;

export function useStrictValidation(app: FastifyInstance): void {
  const exact = new Ajv({ ...COMMON, coerceTypes: false });
  const fromText = new Ajv({ ...COMMON, coerceTypes: 'array' });
  app.setValidatorCompiler(({ schema, httpPart }) =>
    compiledAtFirstUse(() =>
      (httpPart === 'body' ? exact : fromText).compile(discriminated(schema) as object),
    ),
  );
}

interface Validate {
  (data: unknown): boolean;
  /** What was wrong, until the next use: as Ajv says it, and Fastify reads it. */
  errors?: ErrorObject[] | null;
}

/** Compiling all of them took a fifth of the service's start, and most are not used for long. */
function compiledAtFirstUse(compile: () => ValidateFunction): Validate {
  let compiled: ValidateFunction | undefined;
  const validate: Validate = (data) => {
    compiled ??= compile();
    const valid = compiled(data) as boolean;
    validate.errors = compiled.errors ?? null;
    return valid;
  };
  return validate;
}

/**
 * `schema` with every union of objects that one constant field tells apart said as such, so
 * that a fault in one of them is one error and not one for each.
 */
export function discriminated(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(discriminated);
  if (typeof schema !== 'object' || schema === null) return schema;
  const copy: Record<string, unknown> = {};
  // What stands in these is data, not schemas.
  for (const [key, value] of Object.entries(schema))
    copy[key] = ['const', 'enum', 'default', 'examples'].includes(key)
      ? value
      : discriminated(value);
  const members = copy.anyOf;
  const propertyName = Array.isArray(members) ? tellingField(members) : undefined;
  if (propertyName === undefined) return copy;
  const { anyOf, ...rest } = copy;
  return {
    ...rest,
    type: 'object',
    discriminator: { propertyName },
    required: [propertyName],
    oneOf: anyOf,
  };
}

interface ObjectMember {
  readonly required?: readonly string[];
  readonly properties?: Record<string, { readonly const?: unknown }>;
}

/** The field that is required in every member, and a different text in each. */
function tellingField(members: readonly ObjectMember[]): string | undefined {
  const [first] = members;
  return first?.required?.find((name) => {
    const values = members.map((member) =>
      member.required?.includes(name) ? member.properties?.[name]?.const : undefined,
    );
    return values.every((v) => typeof v === 'string') && new Set(values).size === members.length;
  });
}
