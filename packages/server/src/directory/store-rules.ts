import { type Insertable, type Kysely, type RawBuilder, sql as raw, type Updateable } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';
import type { Attribute, Condition } from './rule-filter.ts';

type Sql = Kysely<Database>;

const rules = (sql: Sql) =>
  sql
    .selectFrom('group_rules as r')
    .innerJoin('groups as g', 'g.id', 'r.group_id')
    .select([
      'r.id',
      'r.name',
      'r.group_id',
      'g.name as group_name',
      'r.condition',
      'r.made_by',
      'r.created_at',
      'r.updated_at',
    ]);
export type RuleRow = Awaited<ReturnType<ReturnType<typeof rules>['execute']>>[number];

export const findRule = (sql: Sql, id: string): Promise<RuleRow | undefined> =>
  rules(sql).where('r.id', '=', id).executeTakeFirst();

export const findRuleByName = (sql: Sql, name: string): Promise<RuleRow | undefined> =>
  rules(sql).where('r.name', '=', name).executeTakeFirst();

/** All of them, or those of one group. */
export function allRules(sql: Sql, groupId?: string): Promise<RuleRow[]> {
  const query = rules(sql).orderBy('r.name');
  return (groupId === undefined ? query : query.where('r.group_id', '=', groupId)).execute();
}

export function listRules(
  sql: Sql,
  filter: { readonly name: string | undefined } & PageRequest,
): Promise<RuleRow[]> {
  let query = rules(sql);
  if (filter.name !== undefined) query = query.where('r.name', '=', filter.name);
  if (filter.after !== undefined) query = query.where('r.id', '>', filter.after);
  return query
    .orderBy('r.id')
    .limit(filter.limit + 1)
    .execute();
}

export const insertRule = (
  sql: Sql,
  row: Insertable<DomainTables['group_rules']>,
): Promise<unknown> => sql.insertInto('group_rules').values(row).execute();

export const updateRuleRow = (
  sql: Sql,
  id: string,
  fields: Updateable<DomainTables['group_rules']>,
): Promise<unknown> => sql.updateTable('group_rules').set(fields).where('id', '=', id).execute();

export const deleteRuleRow = (sql: Sql, id: string): Promise<unknown> =>
  sql.deleteFrom('group_rules').where('id', '=', id).execute();

/** Whom the conditions of a group choose, out of whom. */
export interface Choice {
  readonly group_id: string;
  /** ORed; none chooses nobody. */
  readonly conditions: readonly Condition[];
  /** Only these users; undefined: all. */
  readonly user_ids: readonly string[] | undefined;
}

/** Users whom the rules choose and who are not in the group by a rule. */
export async function missingByRule(
  sql: Sql,
  choice: Choice,
): Promise<{ id: string; name: string }[]> {
  const { rows } = await raw<{ id: string; name: string }>`
    select u.id, u.name from users u
    where ${isChosen(choice)} and ${among(choice)}
      and not exists (select 1 from memberships m
        where m.group_id = ${choice.group_id} and m.user_id = u.id
          and m.source = 'rule' and m.ended_at is null)
    order by u.id`.execute(sql);
  return rows;
}

/** Users who are in the group by a rule, and whom none chooses any more. */
export async function surplusByRule(
  sql: Sql,
  choice: Choice,
): Promise<{ membership_id: string; id: string; name: string }[]> {
  const { rows } = await raw<{ membership_id: string; id: string; name: string }>`
    select m.id as membership_id, u.id, u.name
    from memberships m join users u on u.id = m.user_id
    where m.group_id = ${choice.group_id} and m.source = 'rule' and m.ended_at is null
      and not ${isChosen(choice)} and ${among(choice)}
    order by u.id`.execute(sql);
  return rows;
}

const among = ({ user_ids }: Choice): RawBuilder<boolean> =>
  user_ids === undefined
    ? raw`true`
    : user_ids.length === 0
      ? raw`false`
      : raw`u.id in (${raw.join([...user_ids])})`;

/** A condition that cannot be told chooses nobody, and its opposite does not either. */
function isChosen({ conditions }: Choice): RawBuilder<boolean> {
  if (conditions.length === 0) return raw`false`;
  const any = raw.join(conditions.map(holds), raw` or `);
  return raw`coalesce(u.status <> 'DELETED' and (${any}), false)`;
}

/** True, false, or null where the profile does not tell: SQL's own logic is the one wanted. */
function holds(condition: Condition): RawBuilder<boolean> {
  switch (condition.kind) {
    case 'and':
    case 'or':
      return raw`(${raw.join(condition.terms.map(holds), condition.kind === 'and' ? raw` and ` : raw` or `)})`;
    case 'not':
      return raw`(not ${holds(condition.term)})`;
    case 'present':
      return raw`(${believed(condition.attribute)} is not null)`;
    case 'compare':
      return compared(condition);
  }
}

function compared({
  attribute,
  operator,
  value,
}: Extract<Condition, { kind: 'compare' }>): RawBuilder<boolean> {
  const held = raw`lower(${believed(attribute)})`;
  const wanted = raw`lower(${value}::text)`;
  switch (operator) {
    case 'eq':
      return raw`(${held} = ${wanted})`;
    case 'ne':
      return raw`(${held} <> ${wanted})`;
    case 'co':
      return raw`(position(${wanted} in ${held}) > 0)`;
    case 'sw':
      return raw`starts_with(${held}, ${wanted})`;
    case 'ew':
      return raw`(right(${held}, length(${wanted})) = ${wanted})`;
    case 'gt':
      return raw`(${held} collate "C" > ${wanted} collate "C")`;
    case 'ge':
      return raw`(${held} collate "C" >= ${wanted} collate "C")`;
    case 'lt':
      return raw`(${held} collate "C" < ${wanted} collate "C")`;
    case 'le':
      return raw`(${held} collate "C" <= ${wanted} collate "C")`;
  }
}

/** Null where there is none, where it is empty, and where a rule may not believe it. */
const believed = (attribute: Attribute): RawBuilder<string> =>
  raw`case when ${isAuthoritative(attribute)} then nullif(${written(attribute)}, '') end`;

const written = (attribute: Attribute): RawBuilder<string> =>
  'column' in attribute
    ? raw.ref(`u.${attribute.column}`)
    : raw`(u.attributes->>${attribute.key}::text)`;

/**
 * Whether rules may believe this attribute of user `u`: each has one master. What a pam_admin
 * writes may be believed. Of whom a connection masters, the login, the name and the address
 * only where it is authoritative for them; it writes no attribute but those for which it is.
 */
const isAuthoritative = (attribute: Attribute): RawBuilder<boolean> =>
  'column' in attribute && PUSHED.includes(attribute.column)
    ? raw`(u.master = 'local' or exists (
        select 1 from scim_users s join scim_connections c on c.id = s.connection_id
        where s.user_id = u.id and c.authoritative @> to_jsonb(${attribute.column}::text)))`
    : raw`true`;

const PUSHED: readonly string[] = ['login', 'name', 'email'];
