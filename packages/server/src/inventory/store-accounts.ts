import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';

type Sql = Kysely<Database>;

export const findAccount = (sql: Sql, serverId: string, username: string) =>
  sql
    .selectFrom('accounts')
    .select(['id', 'username', 'credential'])
    .where('server_id', '=', serverId)
    .where('username', '=', username)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();

/** The account with its server's present identity revision; undefined when either is deleted. */
export const findAccountById = (sql: Sql, id: string) =>
  sql
    .selectFrom('accounts as a')
    .innerJoin('servers as s', 's.id', 'a.server_id')
    .select([
      'a.id',
      'a.username',
      'a.credential',
      's.id as server_id',
      's.hostname',
      's.identity_revision',
    ])
    .where('a.id', '=', id)
    .where('a.deleted_at', 'is', null)
    .where('s.state', '<>', 'DELETED')
    .executeTakeFirst();

export const insertAccount = (
  sql: Sql,
  row: Insertable<DomainTables['accounts']>,
): Promise<unknown> => sql.insertInto('accounts').values(row).execute();

export const setAccountCredential = (
  sql: Sql,
  id: string,
  credential: 'password' | 'private_key',
): Promise<unknown> =>
  sql.updateTable('accounts').set({ credential }).where('id', '=', id).execute();

export const newestSecret = (sql: Sql, accountId: string) =>
  sql
    .selectFrom('account_secrets')
    .select(['version', 'server_identity_revision', 'sealed'])
    .where('account_id', '=', accountId)
    .orderBy('version', 'desc')
    .limit(1)
    .executeTakeFirst();

export const insertSecret = (
  sql: Sql,
  row: Insertable<DomainTables['account_secrets']>,
): Promise<unknown> => sql.insertInto('account_secrets').values(row).execute();

/** The account stays as a row that ids refer to; its secrets are gone. */
export async function markAccountDeleted(sql: Sql, id: string, now: Instant): Promise<void> {
  await sql.updateTable('accounts').set({ deleted_at: now }).where('id', '=', id).execute();
  await sql.deleteFrom('account_secrets').where('account_id', '=', id).execute();
}
