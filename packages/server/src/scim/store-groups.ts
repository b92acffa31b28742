import type { Instant } from '@postern/shared';
import { type Insertable, type Kysely, sql as raw, type Updateable } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { ScimTables } from '../platform/tables-scim.ts';
import type { ListQuery } from './query.ts';
import { type Column, type Columns, conditionOf, isUuid, sortColumn } from './store-filter.ts';

type Sql = Kysely<Database>;

/** What groups can be found and sorted by. */
const COLUMNS: Columns = new Map<string, Column>([
  ['id', { type: 'uuid', at: raw`g.id` }],
  ['displayname', { type: 'text', at: raw`g.name` }],
  ['externalid', { type: 'exact', at: raw`s.external_id` }],
  ['meta.created', { type: 'time', at: raw`s.created_at` }],
  ['meta.lastmodified', { type: 'time', at: raw`s.updated_at` }],
  [
    'members',
    {
      type: 'many',
      columns: new Map<string, Column>([['value', { type: 'uuid', at: raw`m.user_id` }]]),
      holds: (condition) =>
        raw<boolean>`exists (select 1 from memberships m where m.group_id = g.id
          and m.source = 'scim' and m.ended_at is null and ${condition})`,
    },
  ],
]);

const view = (sql: Sql, connectionId: string) =>
  sql
    .selectFrom('scim_groups as s')
    .innerJoin('groups as g', 'g.id', 's.group_id')
    .where('s.connection_id', '=', connectionId)
    .where('s.taken_at', 'is not', null)
    .where('g.deleted_at', 'is', null);

const columns = [
  'g.id',
  'g.name',
  's.external_id',
  's.version',
  's.created_at',
  's.updated_at',
] as const;
const rows = (sql: Sql, connectionId: string) => view(sql, connectionId).select(columns);
export type ScimGroupRow = Awaited<ReturnType<ReturnType<typeof rows>['execute']>>[number];

/** Another connection's groups are not there, nor are local ones. */
export async function findScimGroup(
  sql: Sql,
  connectionId: string,
  id: string,
): Promise<ScimGroupRow | undefined> {
  if (!isUuid(id)) return undefined;
  return await rows(sql, connectionId).where('g.id', '=', id).executeTakeFirst();
}

export async function listScimGroups(
  sql: Sql,
  connectionId: string,
  { filter, offset, limit, sortBy, descending }: ListQuery,
): Promise<{ readonly total: number; readonly list: ScimGroupRow[] }> {
  const condition = filter === undefined ? raw<boolean>`true` : conditionOf(filter, COLUMNS);
  const { total } = await view(sql, connectionId)
    .where(condition)
    .select(raw<number>`count(*)`.as('total'))
    .executeTakeFirstOrThrow();
  if (limit === 0) return { total, list: [] };
  const order = sortBy === undefined ? undefined : sortColumn(sortBy, COLUMNS);
  let query = rows(sql, connectionId).where(condition);
  if (order !== undefined) query = query.orderBy(order, descending ? 'desc' : 'asc');
  const list = await query.orderBy('g.id').offset(offset).limit(limit).execute();
  return { total, list };
}

/** Who was pushed into these groups. */
export async function pushedMembers(
  sql: Sql,
  groupIds: readonly string[],
): Promise<{ group_id: string; user_id: string; user_name: string }[]> {
  if (groupIds.length === 0) return [];
  return await sql
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select(['m.group_id', 'm.user_id', 'u.name as user_name'])
    .where('m.group_id', 'in', groupIds)
    .where('m.source', '=', 'scim')
    .where('m.ended_at', 'is', null)
    .orderBy('m.user_id')
    .execute();
}

/** What an administrator linked to the connection and it has not pushed yet. */
export const waitingLinks = (sql: Sql, connectionId: string) =>
  sql
    .selectFrom('scim_groups as s')
    .innerJoin('groups as g', 'g.id', 's.group_id')
    .select(['g.id', 'g.name', 's.external_id'])
    .where('s.connection_id', '=', connectionId)
    .where('s.taken_at', 'is', null)
    .where('g.deleted_at', 'is', null)
    .execute();

export const findLink = (sql: Sql, groupId: string) =>
  sql
    .selectFrom('scim_groups as s')
    .innerJoin('scim_connections as c', 'c.id', 's.connection_id')
    .select(['s.connection_id', 's.taken_at', 'c.name as connection_name', 'c.revoked_at'])
    .where('s.group_id', '=', groupId)
    .executeTakeFirst();

/** Links, or links anew what a revoked connection had. */
export const putScimGroup = (
  sql: Sql,
  row: Insertable<ScimTables['scim_groups']>,
): Promise<unknown> =>
  sql
    .insertInto('scim_groups')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('group_id').doUpdateSet({
        connection_id: row.connection_id,
        external_id: row.external_id,
        updated_at: row.updated_at,
        taken_at: row.taken_at ?? null,
      }),
    )
    .execute();

export const updateScimGroup = (
  sql: Sql,
  groupId: string,
  now: Instant,
  fields: Updateable<ScimTables['scim_groups']> = {},
): Promise<unknown> =>
  sql
    .updateTable('scim_groups')
    .set((e) => ({ ...fields, version: e('version', '+', 1), updated_at: now }))
    .where('group_id', '=', groupId)
    .execute();

/** Held until the end: one writer of a group at a time. */
export const lockScimGroup = (sql: Sql, groupId: string): Promise<unknown> =>
  sql
    .selectFrom('scim_groups')
    .select('group_id')
    .where('group_id', '=', groupId)
    .forUpdate()
    .execute();

export const updateGroup = (
  sql: Sql,
  id: string,
  fields: { readonly name?: string; readonly source?: 'scim'; readonly deleted_at?: Instant },
): Promise<unknown> => sql.updateTable('groups').set(fields).where('id', '=', id).execute();
