import { fromRfc3339 } from '@postern/shared';
import { type RawBuilder, sql } from 'kysely';
import { badFilter } from './fault.ts';
import type { Filter, Literal, Operator } from './filter.ts';
import { lowerAscii } from './resource.ts';

type Condition = RawBuilder<boolean>;

/** Where an attribute stands in the database, and how its values compare. */
export type Column =
  /** `text` has no case; `lowered` holds lower case already; `exact` has case. */
  | { readonly type: 'text' | 'lowered' | 'exact'; readonly at: RawBuilder<unknown> }
  | { readonly type: 'boolean' | 'time' | 'uuid'; readonly at: RawBuilder<unknown> }
  /** Several values: `holds` makes of a condition on one of them that there is one. */
  | {
      readonly type: 'many';
      readonly columns: Columns;
      readonly holds: (condition: Condition) => Condition;
    };
export type Columns = ReadonlyMap<string, Column>;

/** Every text of the filter is a parameter: nothing of it becomes SQL. @throws ScimFault */
export function conditionOf(filter: Filter, columns: Columns): Condition {
  switch (filter.kind) {
    case 'and':
    case 'or': {
      const terms = filter.terms.map((term) => conditionOf(term, columns));
      return sql<boolean>`(${sql.join(terms, filter.kind === 'and' ? sql` and ` : sql` or `)})`;
    }
    case 'not':
      return sql<boolean>`(not coalesce(${conditionOf(filter.term, columns)}, false))`;
    case 'some': {
      const column = columns.get(filter.attribute);
      if (column?.type !== 'many')
        throw badFilter(`${filter.attribute} has no values to choose of.`);
      return column.holds(conditionOf(filter.filter, column.columns));
    }
    case 'present':
      return within(filter.attribute, columns, present);
    case 'compare':
      return within(filter.attribute, columns, (column) =>
        compared(column, filter.operator, filter.value),
      );
  }
}

type Single = Exclude<Column, { type: 'many' }>;

/** `emails.value` is some value of `emails`; `emails` alone means its `value`. */
function within(name: string, columns: Columns, make: (column: Single) => Condition): Condition {
  const column = columns.get(name);
  if (column !== undefined && column.type !== 'many') return make(column);
  const dot = name.lastIndexOf('.');
  const [many, sub] =
    column === undefined && dot > 0 ? [name.slice(0, dot), name.slice(dot + 1)] : [name, 'value'];
  const outer = columns.get(many);
  const inner = outer?.type === 'many' ? outer.columns.get(sub) : undefined;
  if (outer?.type !== 'many' || inner === undefined || inner.type === 'many')
    throw badFilter(`Nothing can be found by ${name} here.`);
  return outer.holds(make(inner));
}

const present = ({ type, at }: Single): Condition =>
  type === 'text' || type === 'lowered' || type === 'exact'
    ? sql<boolean>`(${at} is not null and ${at} <> '')`
    : sql<boolean>`(${at} is not null)`;

const SIGNS: Readonly<Record<string, RawBuilder<unknown>>> = {
  eq: sql`=`,
  ne: sql`is distinct from`,
  gt: sql`>`,
  ge: sql`>=`,
  lt: sql`<`,
  le: sql`<=`,
};

function compared(column: Single, operator: Operator, value: Literal): Condition {
  if (value === null) return isNull(column, operator);
  switch (column.type) {
    case 'boolean':
      return sql<boolean>`(${column.at} ${sign(operator, ['eq', 'ne'])} ${asBoolean(value)}::boolean)`;
    case 'time':
      return sql<boolean>`(${column.at} ${sign(operator)} ${asTime(value)}::timestamptz)`;
    case 'uuid':
      return ofId(column, operator, value);
    default:
      return ofText(column, operator, value);
  }
}

function isNull(column: Single, operator: Operator): Condition {
  if (operator === 'eq') return sql<boolean>`(not ${present(column)})`;
  if (operator === 'ne') return present(column);
  throw badFilter('null is equal or not, and nothing else.');
}

function sign(
  operator: Operator,
  among: readonly Operator[] = ['eq', 'ne', 'gt', 'ge', 'lt', 'le'],
) {
  const found = among.includes(operator) ? SIGNS[operator] : undefined;
  if (found === undefined) throw badFilter(`${operator} does not go with this attribute.`);
  return found;
}

function asBoolean(value: Literal): boolean {
  const word = String(value).toLowerCase();
  if (word !== 'true' && word !== 'false') throw badFilter('It compares with true or false.');
  return word === 'true';
}

function asTime(value: Literal): string {
  const at = typeof value === 'string' ? fromRfc3339(value) : undefined;
  if (at === undefined) throw badFilter('It compares with a time as in RFC 3339.');
  return new Date(at).toISOString();
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
export const isUuid = (text: string): boolean => UUID.test(text);

function ofId({ at }: Single, operator: Operator, value: Literal): Condition {
  const id = String(value).toLowerCase();
  if (operator !== 'eq' && operator !== 'ne')
    return ofText({ type: 'lowered', at: sql`${at}::text` }, operator, value);
  if (!isUuid(id)) return operator === 'eq' ? sql<boolean>`false` : sql<boolean>`true`;
  return sql<boolean>`(${at} ${sign(operator)} ${id}::uuid)`;
}

function ofText({ type, at }: Single, operator: Operator, value: Literal): Condition {
  const text = String(value);
  const wanted =
    type === 'exact' ? text : type === 'lowered' ? lowerAscii(text) : text.toLowerCase();
  const held = type === 'text' ? sql`lower(${at})` : at;
  const length = [...wanted].length;
  switch (operator) {
    case 'co':
      return sql<boolean>`(strpos(${held}, ${wanted}::text) > 0)`;
    case 'sw':
      return sql<boolean>`starts_with(${held}, ${wanted}::text)`;
    case 'ew':
      return sql<boolean>`(right(${held}, ${sql.lit(length)}) = ${wanted}::text)`;
    default:
      return sql<boolean>`(${held} ${sign(operator)} ${wanted}::text)`;
  }
}

/** What a list is sorted by; undefined: an attribute that nothing is sorted by. */
export function sortColumn(name: string, columns: Columns): RawBuilder<unknown> | undefined {
  const column = columns.get(name.toLowerCase());
  if (column === undefined || column.type === 'many') return undefined;
  return column.type === 'text' ? sql`lower(${column.at})` : column.at;
}
