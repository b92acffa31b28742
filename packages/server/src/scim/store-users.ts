import type { Instant } from '@postern/shared';
import { type Insertable, type Kysely, sql as raw, type Updateable } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { ScimTables } from '../platform/tables-scim.ts';
import type { ListQuery } from './query.ts';
import { ENTERPRISE } from './schemas.ts';
import { type Column, type Columns, conditionOf, isUuid, sortColumn } from './store-filter.ts';

type Sql = Kysely<Database>;

const kept = (...path: readonly string[]): Column => ({
  type: 'text',
  at: raw`s.resource #>> ${raw.lit(`{${path.map((name) => `"${name}"`).join(',')}}`)}::text[]`,
});
const enterprise = ['department', 'division', 'costCenter', 'organization', 'employeeNumber'];

/** What users can be found and sorted by. */
const COLUMNS: Columns = new Map<string, Column>([
  ['id', { type: 'uuid', at: raw`u.id` }],
  ['username', { type: 'lowered', at: raw`u.login` }],
  ['externalid', { type: 'exact', at: raw`s.external_id` }],
  ['displayname', kept('displayName')],
  ['title', kept('title')],
  ['usertype', kept('userType')],
  ['name.givenname', kept('name', 'givenName')],
  ['name.familyname', kept('name', 'familyName')],
  ['name.formatted', kept('name', 'formatted')],
  ['active', { type: 'boolean', at: raw`(u.status = 'ACTIVE')` }],
  ['meta.created', { type: 'time', at: raw`s.created_at` }],
  ['meta.lastmodified', { type: 'time', at: raw`s.updated_at` }],
  ...enterprise.map(
    (name) => [`${ENTERPRISE}:${name}`.toLowerCase(), kept(ENTERPRISE, name)] as const,
  ),
  [`${ENTERPRISE}:manager.value`.toLowerCase(), kept(ENTERPRISE, 'manager', 'value')],
  [
    'emails',
    {
      type: 'many',
      columns: new Map<string, Column>([
        ['value', { type: 'text', at: raw`e.item ->> 'value'` }],
        ['type', { type: 'text', at: raw`e.item ->> 'type'` }],
        ['primary', { type: 'boolean', at: raw`(e.item ->> 'primary')::boolean` }],
      ]),
      holds: (condition) =>
        raw<boolean>`exists (select 1 from jsonb_array_elements(
          case when jsonb_typeof(s.resource -> 'emails') = 'array' then s.resource -> 'emails'
          else '[]'::jsonb end) as e(item) where ${condition})`,
    },
  ],
]);

const view = (sql: Sql, connectionId: string) =>
  sql
    .selectFrom('scim_users as s')
    .innerJoin('users as u', 'u.id', 's.user_id')
    .where('s.connection_id', '=', connectionId)
    .where('u.status', '<>', 'DELETED');

const columns = [
  'u.id',
  'u.name',
  'u.status',
  's.external_id',
  's.resource',
  's.inactive_since',
  's.version',
  's.created_at',
  's.updated_at',
] as const;
const rows = (sql: Sql, connectionId: string) => view(sql, connectionId).select(columns);
export type ScimUserRow = Awaited<ReturnType<ReturnType<typeof rows>['execute']>>[number];

/** Another connection's users are not there, nor are deleted ones. */
export async function findScimUser(
  sql: Sql,
  connectionId: string,
  id: string,
): Promise<ScimUserRow | undefined> {
  if (!isUuid(id)) return undefined;
  return await rows(sql, connectionId).where('u.id', '=', id).executeTakeFirst();
}

export async function listScimUsers(
  sql: Sql,
  connectionId: string,
  { filter, offset, limit, sortBy, descending }: ListQuery,
): Promise<{ readonly total: number; readonly list: ScimUserRow[] }> {
  const condition = filter === undefined ? raw<boolean>`true` : conditionOf(filter, COLUMNS);
  const { total } = await view(sql, connectionId)
    .where(condition)
    .select(raw<number>`count(*)`.as('total'))
    .executeTakeFirstOrThrow();
  if (limit === 0) return { total, list: [] };
  const order = sortBy === undefined ? undefined : sortColumn(sortBy, COLUMNS);
  let query = rows(sql, connectionId).where(condition);
  if (order !== undefined) query = query.orderBy(order, descending ? 'desc' : 'asc');
  const list = await query.orderBy('u.id').offset(offset).limit(limit).execute();
  return { total, list };
}

/** Those of the ids that are this connection's, whatever their status but deleted. */
export async function scimUsersAmong(
  sql: Sql,
  connectionId: string,
  ids: readonly string[],
): Promise<{ id: string; name: string }[]> {
  const wanted = ids.filter(isUuid);
  if (wanted.length === 0) return [];
  return await view(sql, connectionId)
    .select(['u.id', 'u.name'])
    .where(raw<boolean>`u.id = any(${raw.val(`{${wanted.join(',')}}`)}::uuid[])`)
    .execute();
}

export async function scimUserIds(sql: Sql, connectionId: string): Promise<string[]> {
  const list = await view(sql, connectionId).select('u.id').orderBy('u.id').execute();
  return list.map((row) => row.id);
}

export const insertScimUser = (
  sql: Sql,
  row: Insertable<ScimTables['scim_users']>,
): Promise<unknown> => sql.insertInto('scim_users').values(row).execute();

export const updateScimUser = (
  sql: Sql,
  userId: string,
  now: Instant,
  fields: Updateable<ScimTables['scim_users']>,
): Promise<unknown> =>
  sql
    .updateTable('scim_users')
    .set((e) => ({ ...fields, version: e('version', '+', 1), updated_at: now }))
    .where('user_id', '=', userId)
    .execute();
