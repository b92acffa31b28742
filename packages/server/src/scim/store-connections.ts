import type { Instant } from '@postern/shared';
import { type Insertable, type Kysely, sql as raw } from 'kysely';
import type { JsonText } from '../platform/columns.ts';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { ScimTables } from '../platform/tables-scim.ts';

type Sql = Kysely<Database>;

/** The token with its connection, revoked ones included. */
export const findToken = (sql: Sql, tokenId: string) =>
  sql
    .selectFrom('scim_tokens as t')
    .innerJoin('scim_connections as c', 'c.id', 't.connection_id')
    .select([
      't.hash',
      't.revoked_at as token_revoked_at',
      't.made_by as token_made_by',
      'c.id',
      'c.name',
      'c.authoritative',
      'c.made_by',
      'c.revoked_at',
    ])
    .where('t.id', '=', tokenId)
    .executeTakeFirst();

/** Held until the end: who writes through the connection, and who revokes it, wait for each other. */
export const lockConnection = (sql: Sql, id: string, how: 'share' | 'update') => {
  const row = sql.selectFrom('scim_connections').select('id').where('id', '=', id);
  return (how === 'share' ? row.forShare() : row.forUpdate()).execute();
};

const view = (sql: Sql) =>
  sql
    .selectFrom('scim_connections as c')
    .innerJoin('users as u', 'u.id', 'c.created_by')
    .leftJoin('scim_tokens as t', (on) =>
      on.onRef('t.connection_id', '=', 'c.id').on('t.revoked_at', 'is', null),
    )
    .select([
      'c.id',
      'c.name',
      'c.authoritative',
      'c.created_by',
      'u.name as creator_name',
      'c.created_at',
      'c.revoked_at',
      't.created_at as token_made_at',
      raw<number>`(select count(*) from scim_users s join users p on p.id = s.user_id
        where s.connection_id = c.id and p.status <> 'DELETED')`.as('users'),
      raw<number>`(select count(*) from scim_groups s join groups g on g.id = s.group_id
        where s.connection_id = c.id and g.deleted_at is null and s.taken_at is not null)`.as(
        'groups',
      ),
    ]);
export type ConnectionView = Awaited<ReturnType<ReturnType<typeof view>['execute']>>[number];

export const findConnection = (sql: Sql, id: string): Promise<ConnectionView | undefined> =>
  view(sql).where('c.id', '=', id).executeTakeFirst();

export const isNameTaken = async (sql: Sql, name: string): Promise<boolean> =>
  (await sql
    .selectFrom('scim_connections')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst()) !== undefined;

export function listConnections(sql: Sql, page: PageRequest): Promise<ConnectionView[]> {
  const query = page.after === undefined ? view(sql) : view(sql).where('c.id', '>', page.after);
  return query
    .orderBy('c.id')
    .limit(page.limit + 1)
    .execute();
}

export const insertConnection = (
  sql: Sql,
  row: Insertable<ScimTables['scim_connections']>,
): Promise<unknown> => sql.insertInto('scim_connections').values(row).execute();

export const setAuthoritative = (sql: Sql, id: string, authoritative: JsonText): Promise<unknown> =>
  sql.updateTable('scim_connections').set({ authoritative }).where('id', '=', id).execute();

export const insertToken = (
  sql: Sql,
  row: Insertable<ScimTables['scim_tokens']>,
): Promise<unknown> => sql.insertInto('scim_tokens').values(row).execute();

export const endTokens = (sql: Sql, connectionId: string, now: Instant): Promise<unknown> =>
  sql
    .updateTable('scim_tokens')
    .set({ revoked_at: now })
    .where('connection_id', '=', connectionId)
    .where('revoked_at', 'is', null)
    .execute();

export const markRevoked = (sql: Sql, id: string, now: Instant): Promise<unknown> =>
  sql.updateTable('scim_connections').set({ revoked_at: now }).where('id', '=', id).execute();
