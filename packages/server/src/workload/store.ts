import type { Instant } from '@postern/shared';
import type { Insertable, Kysely, Updateable } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { WorkloadTables } from '../platform/tables-workload.ts';
import type { Job } from './job.ts';
import type { Connection, Rule } from './model.ts';

type Sql = Kysely<Database>;
type Connections = WorkloadTables['workload_connections'];

const connections = (sql: Sql) =>
  sql
    .selectFrom('workload_connections as c')
    .innerJoin('users as u', 'u.id', 'c.created_by')
    .selectAll('c')
    .select('u.name as creator_name')
    .where('c.removed_at', 'is', null);
export type ConnectionRow = Awaited<ReturnType<ReturnType<typeof connections>['execute']>>[number];

export const findConnection = (sql: Sql, id: string): Promise<ConnectionRow | undefined> =>
  connections(sql).where('c.id', '=', id).executeTakeFirst();

export const findConnectionByName = (sql: Sql, name: string): Promise<ConnectionRow | undefined> =>
  connections(sql).where('c.name', '=', name).executeTakeFirst();

/** Held until the end: who logs in through it, and who changes it, wait for each other. */
export const lockConnection = (sql: Sql, id: string, how: 'share' | 'update') => {
  const row = sql.selectFrom('workload_connections').select('id').where('id', '=', id);
  return (how === 'share' ? row.forShare() : row.forUpdate()).execute();
};

export function listConnections(sql: Sql, page: PageRequest): Promise<ConnectionRow[]> {
  let query = connections(sql);
  if (page.after !== undefined) query = query.where('c.id', '>', page.after);
  return query
    .orderBy('c.id')
    .limit(page.limit + 1)
    .execute();
}

export const toConnection = (row: ConnectionRow): Connection => ({
  ...row,
  rules: row.rules as readonly Rule[],
});

export const insertConnection = (sql: Sql, row: Insertable<Connections>): Promise<unknown> =>
  sql.insertInto('workload_connections').values(row).execute();

export const updateConnection = (
  sql: Sql,
  id: string,
  row: Updateable<Connections>,
): Promise<unknown> =>
  sql.updateTable('workload_connections').set(row).where('id', '=', id).execute();

/** Tokens of jobs that are logged in by the connection. */
export async function liveLoginsOf(sql: Sql, connectionId: string): Promise<string[]> {
  const rows = await sql
    .selectFrom('workload_logins as l')
    .innerJoin('tokens as t', 't.id', 'l.token_id')
    .select('t.id')
    .where('l.connection_id', '=', connectionId)
    .where('t.revoked_at', 'is', null)
    .execute();
  return rows.map(({ id }) => id);
}

export const insertLogin = (
  sql: Sql,
  row: Insertable<WorkloadTables['workload_logins']>,
): Promise<unknown> => sql.insertInto('workload_logins').values(row).execute();

export async function jobOf(sql: Sql, tokenId: string): Promise<Job | undefined> {
  const row = await sql
    .selectFrom('workload_logins')
    .select('job')
    .where('token_id', '=', tokenId)
    .executeTakeFirst();
  return row?.job as Job | undefined;
}

/** @returns whether it is the first time. */
export async function useOnce(
  sql: Sql,
  row: WorkloadTables['used_assertions'],
  now: Instant,
): Promise<boolean> {
  await sql.deleteFrom('used_assertions').where('expires_at', '<', now).execute();
  const made = await sql
    .insertInto('used_assertions')
    .values(row)
    .onConflict((c) => c.doNothing())
    .returning('scope')
    .executeTakeFirst();
  return made !== undefined;
}
