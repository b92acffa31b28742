import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import { json } from '../platform/schema.ts';
import type { OauthTables } from '../platform/tables-oauth.ts';

type Sql = Kysely<Database>;
type Row = Insertable<OauthTables['oauth_models']>;

/** Inserts it, or replaces what may change of it. */
export const putModel = (sql: Sql, row: Row): Promise<unknown> =>
  sql
    .insertInto('oauth_models')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('hash').doUpdateSet({
        payload: row.payload,
        user_id: row.user_id ?? null,
        token_id: row.token_id ?? null,
        jkt: row.jkt ?? null,
        expires_at: row.expires_at,
      }),
    )
    .execute();

/** @returns false when it was there already. */
export async function addModel(sql: Sql, row: Row): Promise<boolean> {
  const added = await sql
    .insertInto('oauth_models')
    .values(row)
    .onConflict((conflict) => conflict.column('hash').doNothing())
    .returning('hash')
    .executeTakeFirst();
  return added !== undefined;
}

/** What belongs to a login is there while the login is not over and its person is active. */
export const findModel = (sql: Sql, hash: string, now: Instant) =>
  sql
    .selectFrom('oauth_models as m')
    .leftJoin('tokens as t', 't.id', 'm.token_id')
    .leftJoin('users as u', 'u.id', 'm.user_id')
    .select(['m.payload', 'm.expires_at', 'm.consumed_at', 'm.token_id'])
    .where('m.hash', '=', hash)
    .where((e) =>
      e.or([
        e('m.token_id', 'is', null),
        e.and([e('t.revoked_at', 'is', null), e('t.expires_at', '>', now)]),
      ]),
    )
    .where((e) => e.or([e('m.user_id', 'is', null), e('u.status', '=', 'ACTIVE')]))
    .executeTakeFirst();

/** @returns the row when nobody consumed it before. */
export const markConsumed = (sql: Sql, hash: string, now: Instant) =>
  sql
    .updateTable('oauth_models')
    .set({ consumed_at: now })
    .where('hash', '=', hash)
    .where('consumed_at', 'is', null)
    .returning('token_id')
    .executeTakeFirst();

export const tokenOf = (sql: Sql, hash: string) =>
  sql.selectFrom('oauth_models').select('token_id').where('hash', '=', hash).executeTakeFirst();

export const deleteModel = (sql: Sql, hash: string): Promise<unknown> =>
  sql.deleteFrom('oauth_models').where('hash', '=', hash).execute();

export const deleteOfLogin = (sql: Sql, token_id: string): Promise<unknown> =>
  sql.deleteFrom('oauth_models').where('token_id', '=', token_id).execute();

/** A device code that waits for its person; locked, so that one answer counts. */
export const lockDeviceCode = (sql: Sql, user_code_hash: string) =>
  sql
    .selectFrom('oauth_models')
    .select(['hash', 'payload', 'created_at', 'expires_at', 'consumed_at'])
    .where('user_code_hash', '=', user_code_hash)
    .where('kind', '=', 'DeviceCode')
    .forUpdate()
    .executeTakeFirst();

export const decideDeviceCode = (
  sql: Sql,
  hash: string,
  decided: {
    readonly payload: Record<string, unknown>;
    readonly user_id: string | null;
    readonly token_id: string | null;
  },
): Promise<unknown> =>
  sql
    .updateTable('oauth_models')
    .set({ ...decided, payload: json(decided.payload) })
    .where('hash', '=', hash)
    .execute();

/** What is over since `before`, and what was issued under a login that has ended. */
export async function deleteOver(sql: Sql, before: Instant, now: Instant): Promise<void> {
  await sql
    .deleteFrom('oauth_models')
    .where((e) =>
      e.or([
        e('expires_at', '<=', before),
        e(
          'token_id',
          'in',
          e
            .selectFrom('tokens')
            .select('id')
            .where((t) => t.or([t('revoked_at', 'is not', null), t('expires_at', '<=', now)])),
        ),
      ]),
    )
    .execute();
}

/** @returns the key that is kept, which is another's when another was first. */
export async function keepKey(
  sql: Sql,
  purpose: string,
  sealed: unknown,
  now: Instant,
): Promise<unknown> {
  await sql
    .insertInto('vault_keys')
    .values({ purpose, sealed: json(sealed), created_at: now })
    .onConflict((conflict) => conflict.column('purpose').doNothing())
    .execute();
  return await findKey(sql, purpose);
}

export async function findKey(sql: Sql, purpose: string): Promise<unknown> {
  const row = await sql
    .selectFrom('vault_keys')
    .select('sealed')
    .where('purpose', '=', purpose)
    .executeTakeFirst();
  return row?.sealed;
}

export const findPerson = (sql: Sql, id: string) =>
  sql.selectFrom('users').select(['id', 'name', 'status']).where('id', '=', id).executeTakeFirst();
