import { badFilter, badValue } from './fault.ts';
import { type Filter, parseFilter, parsePath } from './filter.ts';
import type { Wanted } from './render.ts';
import type { Json } from './schemas.ts';

const USUAL_COUNT = 100;
export const MAX_COUNT = 200;

/** Which resources, and in what order. */
export interface ListQuery {
  readonly filter: Filter | undefined;
  readonly offset: number;
  readonly limit: number;
  readonly sortBy: string | undefined;
  readonly descending: boolean;
}

/** Filter, paging and order of RFC 7644 §3.4.2. @throws ScimFault */
export function readQuery(query: Json): ListQuery {
  const { filter, startIndex, count, sortBy, sortOrder } = query;
  if (filter !== undefined && typeof filter !== 'string') throw badFilter('One filter is taken.');
  if (sortBy !== undefined && typeof sortBy !== 'string') throw badValue('One sortBy is taken.');
  return {
    filter: filter === undefined ? undefined : parseFilter(filter),
    offset: Math.max(1, readNumber(startIndex, 'startIndex', 1)) - 1,
    limit: Math.min(MAX_COUNT, Math.max(0, readNumber(count, 'count', USUAL_COUNT))),
    sortBy: sortBy === undefined ? undefined : parsePath(sortBy).attribute,
    descending: sortOrder === 'descending',
  };
}

function readNumber(value: unknown, name: string, usual: number): number {
  if (value === undefined) return usual;
  if (typeof value !== 'string' || !/^-?\d{1,9}$/.test(value))
    throw badValue(`${name} is a whole number.`);
  return Number(value);
}

/** `attributes` and `excludedAttributes`. @throws ScimFault */
export const readWanted = ({ attributes, excludedAttributes }: Json): Wanted => ({
  only: attributes === undefined ? null : names(attributes, 'attributes'),
  without: excludedAttributes === undefined ? [] : names(excludedAttributes, 'excludedAttributes'),
});

function names(value: unknown, which: string): string[] {
  if (typeof value !== 'string' || value.length > 2_000) throw badValue(`${which} is one list.`);
  return value
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}
