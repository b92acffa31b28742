import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { WorkloadTables } from '../platform/tables-workload.ts';

type Sql = Kysely<Database>;

const keys = (sql: Sql) =>
  sql
    .selectFrom('service_user_keys as k')
    .innerJoin('users as u', 'u.id', 'k.user_id')
    .innerJoin('users as a', 'a.id', 'k.added_by')
    .selectAll('k')
    .select(['u.login', 'u.name as user_name', 'u.type as user_type', 'u.status as user_status'])
    .select(['a.name as adder_name', 'a.status as adder_status'])
    .where('k.removed_at', 'is', null);
export type KeyRow = Awaited<ReturnType<ReturnType<typeof keys>['execute']>>[number];

export const findKey = (sql: Sql, id: string): Promise<KeyRow | undefined> =>
  keys(sql).where('k.id', '=', id).executeTakeFirst();

export const findKeyByThumbprint = (sql: Sql, thumbprint: string): Promise<KeyRow | undefined> =>
  keys(sql).where('k.thumbprint', '=', thumbprint).executeTakeFirst();

export function listKeys(sql: Sql, userId: string, page: PageRequest): Promise<KeyRow[]> {
  let query = keys(sql).where('k.user_id', '=', userId);
  if (page.after !== undefined) query = query.where('k.id', '>', page.after);
  return query
    .orderBy('k.id')
    .limit(page.limit + 1)
    .execute();
}

export async function countKeys(sql: Sql, userId: string): Promise<number> {
  const row = await sql
    .selectFrom('service_user_keys')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('user_id', '=', userId)
    .where('removed_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export const insertKey = (
  sql: Sql,
  row: Insertable<WorkloadTables['service_user_keys']>,
): Promise<unknown> => sql.insertInto('service_user_keys').values(row).execute();

export const removeKey = (sql: Sql, id: string, now: Instant): Promise<unknown> =>
  sql.updateTable('service_user_keys').set({ removed_at: now }).where('id', '=', id).execute();

export const insertServiceLogin = (
  sql: Sql,
  row: WorkloadTables['service_logins'],
): Promise<unknown> => sql.insertInto('service_logins').values(row).execute();

export async function liveLoginsWith(sql: Sql, keyId: string): Promise<string[]> {
  const rows = await sql
    .selectFrom('service_logins as l')
    .innerJoin('tokens as t', 't.id', 'l.token_id')
    .select('t.id')
    .where('l.key_id', '=', keyId)
    .where('t.revoked_at', 'is', null)
    .execute();
  return rows.map(({ id }) => id);
}

/** A service user that is not gone, and who owns it now. */
export async function findServiceUser(sql: Sql, id: string) {
  const user = await sql
    .selectFrom('users')
    .select(['id', 'login', 'name', 'status'])
    .where('id', '=', id)
    .where('type', '=', 'service')
    .where('status', '<>', 'DELETED')
    .executeTakeFirst();
  if (user === undefined) return undefined;
  const owners = await sql
    .selectFrom('service_user_owners')
    .select('owner_id')
    .where('service_user_id', '=', id)
    .where('ended_at', 'is', null)
    .execute();
  return { ...user, owners: owners.map((row) => row.owner_id) };
}
