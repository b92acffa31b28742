import type { Instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import { type Database, json } from '../platform/schema.ts';
import type { TokenKind } from './caller.ts';

type Sql = Kysely<Database>;

export interface NewToken {
  readonly id: string;
  readonly user_id: string;
  readonly hash: string;
  readonly name: string;
  readonly issued_by: string | null;
  readonly created_at: Instant;
  readonly expires_at: Instant;
  readonly kind?: TokenKind;
  readonly binding?: string;
  readonly made_by?: readonly string[];
}

export const insertToken = (sql: Sql, { made_by = [], ...row }: NewToken): Promise<unknown> =>
  sql
    .insertInto('tokens')
    .values({ ...row, made_by: json(made_by) })
    .execute();

/** A login's row: what is presented for it is another text, so it has no hash. */
export const insertLogin = (
  sql: Sql,
  row: Omit<NewToken, 'hash' | 'binding' | 'made_by'> & { readonly kind: TokenKind },
): Promise<unknown> =>
  sql
    .insertInto('tokens')
    .values({ ...row, hash: null })
    .execute();

export const setExpiry = (sql: Sql, id: string, expires_at: Instant): Promise<unknown> =>
  sql
    .updateTable('tokens')
    .set({ expires_at })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute();

export const findUserByLogin = (sql: Sql, login: string) =>
  sql
    .selectFrom('users')
    .select(['id', 'login', 'name', 'type', 'status'])
    .where('login', '=', login)
    .executeTakeFirst();

/** Whether nobody stands behind the account, nor ever did: a service user that never had an owner. */
export async function isNobodys(sql: Sql, userId: string): Promise<boolean> {
  const user = await sql
    .selectFrom('users as u')
    .leftJoin('service_user_owners as o', 'o.service_user_id', 'u.id')
    .select(['u.type', 'o.id as ownership_id'])
    .where('u.id', '=', userId)
    .executeTakeFirst();
  return user?.type === 'service' && user.ownership_id === null;
}

const tokenView = (sql: Sql) =>
  sql
    .selectFrom('tokens as t')
    .innerJoin('users as u', 'u.id', 't.user_id')
    .leftJoin('users as i', 'i.id', 't.issued_by')
    .select([
      't.id',
      't.name',
      't.user_id',
      'u.name as user_name',
      't.issued_by',
      'i.name as issuer_name',
      't.created_at',
      't.expires_at',
      't.revoked_at',
    ]);

export type TokenView = Awaited<ReturnType<ReturnType<typeof tokenView>['execute']>>[number];

/** Tokens that still open something, oldest first. */
export function listLiveTokens(
  sql: Sql,
  filter: { readonly user_id: string | undefined; readonly now: Instant } & PageRequest,
): Promise<TokenView[]> {
  let query = tokenView(sql)
    .where('t.revoked_at', 'is', null)
    .where('t.expires_at', '>', filter.now);
  if (filter.user_id !== undefined) query = query.where('t.user_id', '=', filter.user_id);
  if (filter.after !== undefined) query = query.where('t.id', '>', filter.after);
  return query
    .orderBy('t.id')
    .limit(filter.limit + 1)
    .execute();
}

export const findTokenView = (sql: Sql, id: string): Promise<TokenView | undefined> =>
  tokenView(sql).where('t.id', '=', id).executeTakeFirst();

export const markRevoked = (sql: Sql, id: string, now: Instant): Promise<unknown> =>
  sql
    .updateTable('tokens')
    .set({ revoked_at: now })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute();

/** @returns those it ended. */
export const revokeAllOf = (sql: Sql, userId: string, now: Instant) =>
  sql
    .updateTable('tokens as t')
    .from('users as u')
    .set({ revoked_at: now })
    .whereRef('u.id', '=', 't.user_id')
    .where((e) => e.or([e('t.user_id', '=', userId), e('t.issued_by', '=', userId)]))
    .where('t.revoked_at', 'is', null)
    .returning(['t.id', 't.name', 't.user_id', 'u.name as user_name'])
    .execute();

/** Those that he logged in with himself. @returns those it ended. */
export const revokeLogins = (sql: Sql, userId: string, now: Instant) =>
  sql
    .updateTable('tokens as t')
    .from('users as u')
    .set({ revoked_at: now })
    .whereRef('u.id', '=', 't.user_id')
    .where('t.user_id', '=', userId)
    .where('t.kind', '=', 'login')
    .where('t.revoked_at', 'is', null)
    .returning(['t.id', 't.name', 't.user_id', 'u.name as user_name'])
    .execute();

/** Others who hold a token that this user issued. */
export async function holdersOfTokensBy(sql: Sql, issuerId: string): Promise<string[]> {
  const rows = await sql
    .selectFrom('tokens')
    .select('user_id')
    .distinct()
    .where('issued_by', '=', issuerId)
    .where('user_id', '<>', issuerId)
    .where('revoked_at', 'is', null)
    .execute();
  return rows.map((row) => row.user_id);
}

/** Tokens of people that live and that no login gave them. */
export async function liveStaticTokens(sql: Sql, now: Instant): Promise<number> {
  const { count } = await sql
    .selectFrom('tokens as t')
    .innerJoin('users as u', 'u.id', 't.user_id')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('t.kind', '=', 'static')
    .where('u.type', '=', 'human')
    .where('t.revoked_at', 'is', null)
    .where('t.expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** @returns those it ended. */
export const revokeThese = async (sql: Sql, ids: readonly string[], now: Instant) =>
  ids.length === 0
    ? []
    : await sql
        .updateTable('tokens as t')
        .from('users as u')
        .set({ revoked_at: now })
        .whereRef('u.id', '=', 't.user_id')
        .where('t.id', 'in', ids)
        .where('t.revoked_at', 'is', null)
        .returning(['t.id', 't.name', 't.user_id', 'u.name as user_name'])
        .execute();

export async function holdersOf(sql: Sql, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await sql
    .selectFrom('tokens')
    .select('user_id')
    .distinct()
    .where('id', 'in', ids)
    .execute();
  return rows.map((row) => row.user_id);
}
