import { type Static, type TSchema, Type } from 'typebox';

export const Uuid = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
});

/** RFC 3339 date-time with an offset. */
export const DateTime = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\d[Tt]\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?([Zz]|[+-]\\d\\d:\\d\\d)$',
});

export const Nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** An object that refuses fields it does not name. */
export const Strict = <T extends Record<string, TSchema>>(fields: T) =>
  Type.Object(fields, { additionalProperties: false });

/** Free text of at most `max` characters; shown through `printable` only. */
export const Text = (max: number, min = 1) => Type.String({ minLength: min, maxLength: max });

/** A thing named by id, with its name for people. */
export const Named = Strict({ id: Uuid, name: Type.String() });
export type Named = Static<typeof Named>;

/** One page of a list; the next one is in the `Link` header (RFC 8288, rel=next). */
export const Page = <T extends TSchema>(item: T) => Strict({ list: Type.Array(item) });

export const PageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  cursor: Type.Optional(Text(200)),
};

export const Labels = Type.Record(Type.String({ pattern: '^.{1,128}$' }), Text(256, 0), {
  maxProperties: 64,
});

/** RFC 9457, with the members of Postern. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String(),
  trace_id: Type.String(),
  next: Type.Optional(Type.String()),
  /** Of `mfa_required`: which proof is asked for. */
  acr_values: Type.Optional(Type.Union([Type.Literal('any'), Type.Literal('phr')])),
  errors: Type.Optional(
    Type.Array(Type.Object({ pointer: Type.String(), code: Type.String(), detail: Type.String() })),
  ),
});
export type Problem = Static<typeof Problem>;
