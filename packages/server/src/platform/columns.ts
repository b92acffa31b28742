import type { ColumnType } from 'kysely';

/** JSON text made by {@link json}: the only thing a jsonb column takes. */
export type JsonText = string & { readonly __json: 'JsonText' };

/**
 * A value for a jsonb column. Always through here: given an array, pg would send a
 * PostgreSQL array literal where PGlite sends JSON.
 */
export const json = (value: unknown): JsonText => JSON.stringify(value) as JsonText;

/** Column types. What a row holds is what the parsers of parsers.ts give, on both databases. */
export type Jsonb<T> = ColumnType<T, JsonText, JsonText>;
/** As {@link Jsonb}, filled by the database when an insert leaves it out. */
export type DefaultedJsonb<T> = ColumnType<T, JsonText | undefined, JsonText>;
export type NullableJsonb<T> = ColumnType<T | null, JsonText | null, JsonText | null>;
/** A column the database fills when an insert leaves it out. */
export type Defaulted<T> = ColumnType<T, T | undefined, T>;
