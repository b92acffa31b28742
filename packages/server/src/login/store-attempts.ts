import type { Instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { CredentialTables } from '../platform/tables-credentials.ts';

type Sql = Kysely<Database>;
type CountRow = CredentialTables['login_attempts'];

/** The counters, made where there are none, held until the end: attempts at once queue up. */
export async function lockCounts(
  sql: Sql,
  sortedKeys: readonly string[],
  now: Instant,
): Promise<CountRow[]> {
  const fresh = sortedKeys.map((key) => ({ key, count: 0, next_at: now, forget_at: now }));
  await sql
    .insertInto('login_attempts')
    .values(fresh)
    .onConflict((conflict) => conflict.column('key').doNothing())
    .execute();
  return await sql
    .selectFrom('login_attempts')
    .selectAll()
    .where('key', 'in', sortedKeys)
    .orderBy('key')
    .forUpdate()
    .execute();
}

export const saveCount = (sql: Sql, { key, ...count }: CountRow): Promise<unknown> =>
  sql.updateTable('login_attempts').set(count).where('key', '=', key).execute();

export const forgetCount = (sql: Sql, key: string): Promise<unknown> =>
  sql.deleteFrom('login_attempts').where('key', '=', key).execute();

export const takeBackOne = (sql: Sql, key: string): Promise<unknown> =>
  sql
    .updateTable('login_attempts')
    .set((e) => ({ count: e('count', '-', 1) }))
    .where('key', '=', key)
    .where('count', '>', 0)
    .execute();

export const dropForgotten = (sql: Sql, now: Instant, most: number): Promise<unknown> =>
  sql
    .deleteFrom('login_attempts')
    .where('key', 'in', (e) =>
      e
        .selectFrom('login_attempts')
        .select('key')
        .where('forget_at', '<', now)
        .orderBy('forget_at')
        .limit(most)
        .forUpdate()
        .skipLocked(),
    )
    .execute();

/** Which of these the person has logged in from since then. */
export async function knownClients(
  sql: Sql,
  userId: string,
  clients: readonly string[],
  since: Instant,
): Promise<string[]> {
  const rows = await sql
    .selectFrom('known_clients')
    .select('client')
    .where('user_id', '=', userId)
    .where('client', 'in', clients)
    .where('last_seen_at', '>', since)
    .execute();
  return rows.map((row) => row.client);
}

export const rememberClients = (
  sql: Sql,
  userId: string,
  clients: readonly string[],
  now: Instant,
): Promise<unknown> =>
  sql
    .insertInto('known_clients')
    .values(clients.map((client) => ({ user_id: userId, client, last_seen_at: now })))
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'client']).doUpdateSet({ last_seen_at: now }),
    )
    .execute();

export const dropUnseenClients = (sql: Sql, userId: string, before: Instant): Promise<unknown> =>
  sql
    .deleteFrom('known_clients')
    .where('user_id', '=', userId)
    .where('last_seen_at', '<', before)
    .execute();

export const findUserByLogin = (sql: Sql, login: string) =>
  sql
    .selectFrom('users')
    .select(['id', 'login', 'name', 'type', 'status'])
    .where('login', '=', login)
    .executeTakeFirst();

export const findUser = (sql: Sql, id: string) =>
  sql
    .selectFrom('users')
    .select(['id', 'login', 'name', 'type', 'status'])
    .where('id', '=', id)
    .executeTakeFirst();

/** The latest of a person at this browser. */
export const insertPending = (
  sql: Sql,
  row: CredentialTables['pending_logins'],
): Promise<unknown> => sql.insertInto('pending_logins').values(row).execute();

export const findPending = (sql: Sql, hash: string, now: Instant) =>
  sql
    .selectFrom('pending_logins')
    .selectAll()
    .where('hash', '=', hash)
    .where('expires_at', '>', now)
    .executeTakeFirst();

export async function takePending(sql: Sql, hash: string): Promise<boolean> {
  const taken = await sql
    .deleteFrom('pending_logins')
    .where('hash', '=', hash)
    .returning('hash')
    .execute();
  return taken.length === 1;
}

export const dropOverPending = (sql: Sql, now: Instant, most: number): Promise<unknown> =>
  sql
    .deleteFrom('pending_logins')
    .where('hash', 'in', (e) =>
      e
        .selectFrom('pending_logins')
        .select('hash')
        .where('expires_at', '<=', now)
        .orderBy('expires_at')
        .limit(most)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
