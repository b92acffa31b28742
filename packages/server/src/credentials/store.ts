import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { CredentialTables } from '../platform/tables-credentials.ts';

type Sql = Kysely<Database>;

export const findUser = (sql: Sql, id: string) =>
  sql
    .selectFrom('users')
    .select(['id', 'login', 'name', 'email', 'type', 'status'])
    .where('id', '=', id)
    .executeTakeFirst();

export const findPassword = (sql: Sql, userId: string) =>
  sql
    .selectFrom('password_credentials')
    .selectAll()
    .where('user_id', '=', userId)
    .executeTakeFirst();

export const putPassword = (
  sql: Sql,
  row: Insertable<CredentialTables['password_credentials']>,
): Promise<unknown> =>
  sql
    .insertInto('password_credentials')
    .values(row)
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
    .execute();

/** Whoever it was reset by counts from now on, unless somebody did already. */
export const markPasswordIssued = (sql: Sql, userId: string, by: string): Promise<unknown> =>
  sql
    .updateTable('password_credentials')
    .set({ issued_by: by })
    .where('user_id', '=', userId)
    .where('issued_by', 'is', null)
    .execute();

export const findTotp = (sql: Sql, userId: string) =>
  sql.selectFrom('totp_credentials').selectAll().where('user_id', '=', userId).executeTakeFirst();

/** Replaces one that was shown and never proved. */
export const putTotp = (
  sql: Sql,
  row: Insertable<CredentialTables['totp_credentials']>,
): Promise<unknown> =>
  sql
    .insertInto('totp_credentials')
    .values(row)
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
    .execute();

/**
 * Takes a time step, and every one before it, for good.
 * @returns whether it was free: of two that take it at once, one gets it
 */
export async function takeStep(
  sql: Sql,
  { user_id, id }: { readonly user_id: string; readonly id: string },
  step: number,
): Promise<boolean> {
  const taken = await sql
    .updateTable('totp_credentials')
    .set({ last_step: step })
    .where('user_id', '=', user_id)
    .where('id', '=', id)
    .where((e) => e.or([e('last_step', 'is', null), e('last_step', '<', step)]))
    .returning('id')
    .execute();
  return taken.length === 1;
}

export const confirmTotpRow = (sql: Sql, userId: string, now: Instant): Promise<unknown> =>
  sql
    .updateTable('totp_credentials')
    .set({ confirmed_at: now })
    .where('user_id', '=', userId)
    .execute();

/** @returns whether there was one that had been confirmed. */
export async function dropTotp(sql: Sql, userId: string): Promise<boolean> {
  const rows = await sql
    .deleteFrom('totp_credentials')
    .where('user_id', '=', userId)
    .returning('confirmed_at')
    .execute();
  return rows.some(({ confirmed_at }) => confirmed_at !== null);
}

export const putInvitation = (
  sql: Sql,
  row: Insertable<CredentialTables['invitations']>,
): Promise<unknown> =>
  sql
    .insertInto('invitations')
    .values(row)
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet(row))
    .execute();

export const findInvitation = (sql: Sql, hash: string, now: Instant) =>
  sql
    .selectFrom('invitations')
    .selectAll()
    .where('hash', '=', hash)
    .where('expires_at', '>', now)
    .executeTakeFirst();

export const dropInvitation = (sql: Sql, userId: string): Promise<unknown> =>
  sql.deleteFrom('invitations').where('user_id', '=', userId).execute();

/** Of a person, and those that he made for others. */
export const dropInvitationsAround = (sql: Sql, userId: string): Promise<unknown> =>
  sql
    .deleteFrom('invitations')
    .where((e) => e.or([e('user_id', '=', userId), e('issued_by', '=', userId)]))
    .execute();
