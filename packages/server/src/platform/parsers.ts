import { type Instant, instant } from '@postern/shared';
import pg from 'pg';

/**
 * One table for both databases: what a column of each type is in a row. A type that is
 * not here stays the text that PostgreSQL prints (uuid, text, numeric, date, time,
 * interval, inet, …).
 */
const SCALARS: Readonly<Record<number, (text: string) => unknown>> = {
  16: (text) => text === 't', // bool
  17: (text) => Buffer.from(text.slice(2), 'hex'), // bytea
  20: parseInt8,
  21: Number, // int2
  23: Number, // int4
  26: Number, // oid
  114: JSON.parse, // json
  700: Number, // float4
  701: Number, // float8
  1184: parseTimestamptz,
  3802: JSON.parse, // jsonb
};

// PGlite would make these something else than text.
const TEXTS = [1082, 1083, 1114, 1186, 1266, 1700]; // date time timestamp interval timetz numeric

/** Array type → its element type. */
const ARRAYS: Readonly<Record<number, number>> = {
  1000: 16,
  1001: 17,
  1005: 21,
  1007: 23,
  1009: 25, // text
  1015: 1043, // varchar
  1016: 20,
  1021: 700,
  1022: 701,
  1028: 26,
  1115: 1114,
  1182: 1082,
  1185: 1184,
  1231: 1700,
  199: 114,
  2951: 2950, // uuid
  3807: 3802,
};

const asText = (text: string): string => text;

/** @returns a number; refuses what a number cannot hold exactly. */
export function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 beyond 2^53: ${text}`);
  return value;
}

const TIMESTAMPTZ = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)([+-]\d\d)(?::?(\d\d))?$/;

/** ISO output style; microseconds are cut to milliseconds. Refuses `infinity` and years beyond 9999 or BC. */
export function parseTimestamptz(text: string): Instant {
  const match = TIMESTAMPTZ.exec(text);
  if (!match) throw new RangeError(`not an instant: ${text}`);
  const [, day, time, hours, minutes] = match;
  return instant(Date.parse(`${day}T${time}${hours}:${minutes ?? '00'}`));
}

type Nested = string | null | Nested[];
const TEXT_ARRAY = 1009 as Parameters<typeof pg.types.getTypeParser>[0];
const parseTextArray = pg.types.getTypeParser(TEXT_ARRAY) as (text: string) => Nested[];

function arrayOf(parse: (text: string) => unknown): (text: string) => unknown[] {
  const each = (item: Nested): unknown =>
    item === null ? null : Array.isArray(item) ? item.map(each) : parse(item);
  return (text) => parseTextArray(text).map(each);
}

export function parserOf(oid: number): (text: string) => unknown {
  const element = ARRAYS[oid];
  return element === undefined ? (SCALARS[oid] ?? asText) : arrayOf(parserOf(element));
}

/** For PGlite's `parsers` option. */
export const pgliteParsers = (): Record<number, (text: string) => unknown> =>
  Object.fromEntries(
    [...Object.keys(SCALARS), ...TEXTS, ...Object.keys(ARRAYS)].map((oid) => [
      Number(oid),
      parserOf(Number(oid)),
    ]),
  );

/** For pg's `types` option. Results are always asked for as text. */
export const pgTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) => parserOf(oid)) as pg.CustomTypesConfig['getTypeParser'],
};
