import type { Instant } from '@postern/shared';
import type { Insertable, Kysely, Updateable } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { UpstreamTables } from '../platform/tables-upstream.ts';

type Sql = Kysely<Database>;
type Identities = UpstreamTables['oidc_identities'];

export const insertStart = (
  sql: Sql,
  row: Insertable<UpstreamTables['oidc_starts']>,
): Promise<unknown> => sql.insertInto('oidc_starts').values(row).execute();

/** Takes it away: of two who come with it, one has it. */
export const takeStart = (sql: Sql, which: { readonly hash: string; readonly binding: string }) =>
  sql
    .deleteFrom('oidc_starts')
    .where('hash', '=', which.hash)
    .where('binding', '=', which.binding)
    .returningAll()
    .executeTakeFirst();

/** Removes some of those that are over. */
export const dropOverStarts = (sql: Sql, now: Instant, most: number): Promise<unknown> =>
  sql
    .deleteFrom('oidc_starts')
    .where('hash', 'in', (e) =>
      e
        .selectFrom('oidc_starts')
        .select('hash')
        .where('expires_at', '<=', now)
        .orderBy('expires_at')
        .limit(most)
        .forUpdate()
        .skipLocked(),
    )
    .execute();

export const findIdentity = (
  sql: Sql,
  { issuer, subject }: { readonly issuer: string; readonly subject: string },
) =>
  sql
    .selectFrom('oidc_identities')
    .selectAll()
    .where('issuer', '=', issuer)
    .where('subject', '=', subject)
    .executeTakeFirst();

export const identityOf = (sql: Sql, userId: string) =>
  sql.selectFrom('oidc_identities').selectAll().where('user_id', '=', userId).executeTakeFirst();

export const insertIdentity = (sql: Sql, row: Insertable<Identities>): Promise<unknown> =>
  sql.insertInto('oidc_identities').values(row).execute();

export const updateIdentity = (
  sql: Sql,
  userId: string,
  fields: Updateable<Identities>,
): Promise<unknown> =>
  sql.updateTable('oidc_identities').set(fields).where('user_id', '=', userId).execute();

export const dropIdentity = (sql: Sql, userId: string): Promise<unknown> =>
  sql.deleteFrom('oidc_identities').where('user_id', '=', userId).execute();

export const findPerson = (sql: Sql, userId: string) =>
  sql
    .selectFrom('users')
    .select(['id', 'login', 'name', 'status', 'type', 'master'])
    .where('id', '=', userId)
    .executeTakeFirst();
