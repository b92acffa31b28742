import type { Instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';

type Sql = Kysely<Database>;

/** The access token of that hash, with the login that it names. */
export const findAccessToken = (sql: Sql, hash: string) =>
  sql
    .selectFrom('oauth_models')
    .select(['token_id', 'jkt', 'expires_at'])
    .where('kind', '=', 'AccessToken')
    .where('hash', '=', hash)
    .executeTakeFirst();

/** @returns false when it was there already. */
export async function insertProof(sql: Sql, hash: string, expires_at: Instant): Promise<boolean> {
  const row = await sql
    .insertInto('dpop_proofs')
    .values({ hash, expires_at })
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .returning('hash')
    .executeTakeFirst();
  return row !== undefined;
}

export const dropProofs = (sql: Sql, now: Instant): Promise<unknown> =>
  sql.deleteFrom('dpop_proofs').where('expires_at', '<=', now).execute();
