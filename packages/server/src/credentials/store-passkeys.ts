import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { CredentialTables } from '../platform/tables-credentials.ts';

type Sql = Kysely<Database>;

export const passkeysOf = (sql: Sql, userId: string) =>
  sql
    .selectFrom('passkeys')
    .select(['id', 'credential_id', 'transports', 'name', 'created_at', 'last_used_at'])
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute();

/** Held until the end, so that of two that count on from it the second sees the first's. */
export const lockPasskey = (sql: Sql, credentialId: string) =>
  sql
    .selectFrom('passkeys')
    .selectAll()
    .where('credential_id', '=', credentialId)
    .forUpdate()
    .executeTakeFirst();

/** @returns false: an authenticator has given this id before. */
export async function insertPasskey(
  sql: Sql,
  row: Insertable<CredentialTables['passkeys']>,
): Promise<boolean> {
  const made = await sql
    .insertInto('passkeys')
    .values(row)
    .onConflict((conflict) => conflict.column('credential_id').doNothing())
    .returning('id')
    .execute();
  return made.length === 1;
}

export const markUsed = (
  sql: Sql,
  id: string,
  fields: { readonly counter: number; readonly synced: boolean; readonly last_used_at: Instant },
): Promise<unknown> => sql.updateTable('passkeys').set(fields).where('id', '=', id).execute();

/** @returns the name of what was removed. */
export async function dropPasskey(
  sql: Sql,
  userId: string,
  id: string,
): Promise<string | undefined> {
  const row = await sql
    .deleteFrom('passkeys')
    .where('user_id', '=', userId)
    .where('id', '=', id)
    .returning('name')
    .executeTakeFirst();
  return row?.name;
}

/** @returns how many there were. */
export async function dropPasskeysOf(sql: Sql, userId: string): Promise<number> {
  const rows = await sql
    .deleteFrom('passkeys')
    .where('user_id', '=', userId)
    .returning('id')
    .execute();
  return rows.length;
}

type ChallengeRow = CredentialTables['passkey_challenges'];

export const insertChallenge = (sql: Sql, row: ChallengeRow): Promise<unknown> =>
  sql.insertInto('passkey_challenges').values(row).execute();

/** It is used up by being looked for, whatever comes of it. */
export const takeChallenge = (
  sql: Sql,
  { hash, purpose, binding }: Pick<ChallengeRow, 'hash' | 'purpose' | 'binding'>,
): Promise<ChallengeRow | undefined> =>
  sql
    .deleteFrom('passkey_challenges')
    .where('hash', '=', hash)
    .where('purpose', '=', purpose)
    .where('binding', '=', binding)
    .returningAll()
    .executeTakeFirst();

export const dropChallenges = (sql: Sql, binding: string): Promise<unknown> =>
  sql.deleteFrom('passkey_challenges').where('binding', '=', binding).execute();

/** Removes some of those that ran out, anybody's. */
export const dropOverChallenges = (sql: Sql, now: Instant, most: number): Promise<unknown> =>
  sql
    .deleteFrom('passkey_challenges')
    .where('hash', 'in', (e) =>
      e
        .selectFrom('passkey_challenges')
        .select('hash')
        .where('expires_at', '<=', now)
        .orderBy('expires_at')
        .limit(most)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
