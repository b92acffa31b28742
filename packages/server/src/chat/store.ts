import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';
import type { ChatAccount } from './model.ts';

type Sql = Kysely<Database>;
type Codes = DomainTables['chat_link_codes'];

/** The earlier code of the same person is gone with it. */
export const putCode = (db: Sql, row: Insertable<Codes>): Promise<unknown> =>
  db
    .insertInto('chat_link_codes')
    .values(row)
    .onConflict((c) =>
      c.column('user_id').doUpdateSet({
        hash: row.hash,
        token_id: row.token_id,
        issued_by: row.issued_by,
        expires_at: row.expires_at,
      }),
    )
    .execute();

export const findCode = (db: Sql, hash: string) =>
  db.selectFrom('chat_link_codes').selectAll().where('hash', '=', hash).executeTakeFirst();

/** Of several who take the same code one gets it. */
export const takeCode = (db: Sql, hash: string) =>
  db.deleteFrom('chat_link_codes').where('hash', '=', hash).returningAll().executeTakeFirst();

/** Codes that this user made, or that were made with a token he issued. */
export const dropCodesOf = (db: Sql, userId: string): Promise<unknown> =>
  db
    .deleteFrom('chat_link_codes')
    .where((e) => e.or([e('user_id', '=', userId), e('issued_by', '=', userId)]))
    .execute();

/** @returns whether it was written: not when the account or the person has a link. */
export async function insertLink(
  db: Sql,
  row: Insertable<DomainTables['chat_links']>,
): Promise<boolean> {
  const made = await db
    .insertInto('chat_links')
    .values(row)
    .onConflict((c) => c.doNothing())
    .returning('id')
    .executeTakeFirst();
  return made !== undefined;
}

const views = (db: Sql) =>
  db
    .selectFrom('chat_links as l')
    .innerJoin('users as u', 'u.id', 'l.user_id')
    .leftJoin('users as i', 'i.id', 'l.issued_by')
    .select([
      'l.id',
      'l.user_id',
      'u.name as user_name',
      'l.workspace_id',
      'l.chat_user_id',
      'l.issued_by',
      'i.name as issuer_name',
      'l.created_at',
    ])
    .where('l.removed_at', 'is', null);

export type LinkView = Awaited<ReturnType<ReturnType<typeof views>['execute']>>[number];

export const findLink = (db: Sql, id: string): Promise<LinkView | undefined> =>
  views(db).where('l.id', '=', id).executeTakeFirst();

export const findLinkOf = (db: Sql, account: ChatAccount): Promise<LinkView | undefined> =>
  views(db)
    .where('l.workspace_id', '=', account.workspace_id)
    .where('l.chat_user_id', '=', account.chat_user_id)
    .executeTakeFirst();

/** Oldest first; one more than `limit` says that there is a next page. */
export function listLinks(
  db: Sql,
  { user_id, after, limit }: { readonly user_id: string | undefined } & PageRequest,
): Promise<LinkView[]> {
  let query = views(db);
  if (user_id !== undefined) query = query.where('l.user_id', '=', user_id);
  if (after !== undefined) query = query.where('l.id', '>', after);
  return query
    .orderBy('l.id')
    .limit(limit + 1)
    .execute();
}

/** His own, and those made with a token he issued. */
export const linksOf = (db: Sql, userId: string): Promise<LinkView[]> =>
  views(db)
    .where((e) => e.or([e('l.user_id', '=', userId), e('l.issued_by', '=', userId)]))
    .execute();

/** @returns whether it was there. */
export async function removeLink(db: Sql, id: string, now: Instant): Promise<boolean> {
  const gone = await db
    .updateTable('chat_links')
    .set({ removed_at: now })
    .where('id', '=', id)
    .where('removed_at', 'is', null)
    .returning('id')
    .executeTakeFirst();
  return gone !== undefined;
}

/** @returns whether it is new. */
export async function rememberSignature(
  db: Sql,
  row: DomainTables['chat_signatures'],
): Promise<boolean> {
  const made = await db
    .insertInto('chat_signatures')
    .values(row)
    .onConflict((c) => c.doNothing())
    .returning('signature')
    .executeTakeFirst();
  return made !== undefined;
}

export const forgetSignatures = (db: Sql, before: Instant): Promise<unknown> =>
  db.deleteFrom('chat_signatures').where('expires_at', '<', before).execute();
