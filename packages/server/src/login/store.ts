import type { Instant } from '@postern/shared';
import type { Insertable, Kysely, Updateable } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { CredentialTables } from '../platform/tables-credentials.ts';

type Sql = Kysely<Database>;
type Logins = CredentialTables['browser_logins'];

export const insertLogin = (sql: Sql, row: Insertable<Logins>): Promise<unknown> =>
  sql.insertInto('browser_logins').values(row).execute();

export const findLogin = (sql: Sql, hash: string) =>
  sql
    .selectFrom('browser_logins as l')
    .innerJoin('users as u', 'u.id', 'l.user_id')
    .selectAll('l')
    .select(['u.status', 'u.login', 'u.name', 'u.type'])
    .where('l.hash', '=', hash)
    .executeTakeFirst();
export type LoginRow = NonNullable<Awaited<ReturnType<typeof findLogin>>>;

export const updateLogin = (sql: Sql, id: string, fields: Updateable<Logins>): Promise<unknown> =>
  sql.updateTable('browser_logins').set(fields).where('id', '=', id).execute();

/** A person's, newest first, that are not ended; some may be over by now. */
export const loginsOf = (sql: Sql, userId: string, now: Instant) =>
  sql
    .selectFrom('browser_logins')
    .select([
      'id',
      'authenticated_at',
      'last_seen_at',
      'expires_at',
      'ended_at',
      'client_address',
      'user_agent',
      'mfa',
    ])
    .where('user_id', '=', userId)
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('id', 'desc')
    .execute();

interface Ended {
  readonly id: string;
  readonly user_id: string;
}

/** @returns those it ended: of this person, or one of his. */
export function endLogins(
  sql: Sql,
  which: { readonly user_id: string; readonly id?: string },
  now: Instant,
): Promise<Ended[]> {
  let query = sql
    .updateTable('browser_logins')
    .set({ ended_at: now, hash: null })
    .where('user_id', '=', which.user_id)
    .where('ended_at', 'is', null);
  if (which.id !== undefined) query = query.where('id', '=', which.id);
  return query.returning(['id', 'user_id']).execute();
}

/** Others who hold one that counts as issued by this person. */
export async function holdersOfLoginsBy(sql: Sql, userId: string): Promise<string[]> {
  const rows = await sql
    .selectFrom('browser_logins')
    .select('user_id')
    .distinct()
    .where('issued_by', '=', userId)
    .where('user_id', '<>', userId)
    .where('ended_at', 'is', null)
    .execute();
  return rows.map((row) => row.user_id);
}

/** Of others, that count as issued by this person. */
export const endLoginsIssuedBy = (sql: Sql, userId: string, now: Instant): Promise<Ended[]> =>
  sql
    .updateTable('browser_logins')
    .set({ ended_at: now, hash: null })
    .where('issued_by', '=', userId)
    .where('user_id', '<>', userId)
    .where('ended_at', 'is', null)
    .returning(['id', 'user_id'])
    .execute();

/** Removes some of those that are over for so long that nobody asks for them. */
export const dropOldLogins = (sql: Sql, before: Instant, most: number): Promise<unknown> =>
  sql
    .deleteFrom('browser_logins')
    .where('id', 'in', (e) =>
      e
        .selectFrom('browser_logins')
        .select('id')
        .where('expires_at', '<', before)
        .orderBy('id')
        .limit(most)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
