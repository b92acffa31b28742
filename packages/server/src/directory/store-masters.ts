import type { Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';

type Sql = Kysely<Database>;

/** The connection that masters the user; none when it was revoked: then he is changed here. */
export const masterOf = (sql: Sql, userId: string) =>
  sql
    .selectFrom('scim_users as s')
    .innerJoin('scim_connections as c', 'c.id', 's.connection_id')
    .select(['c.name', 'c.authoritative', 's.inactive_since'])
    .where('s.user_id', '=', userId)
    .where('c.revoked_at', 'is', null)
    .executeTakeFirst();

/** The OpenID provider that the user is made from; none when he was unlinked: then he is changed here. */
export const providerOf = (sql: Sql, userId: string) =>
  sql
    .selectFrom('oidc_identities')
    .select(['issuer', 'masters'])
    .where('user_id', '=', userId)
    .executeTakeFirst();

/** The connection that pushes the group, while there is one. */
export const pusherOf = (sql: Sql, groupId: string) =>
  sql
    .selectFrom('scim_groups as s')
    .innerJoin('scim_connections as c', 'c.id', 's.connection_id')
    .select('c.name')
    .where('s.group_id', '=', groupId)
    .where('s.taken_at', 'is not', null)
    .where('c.revoked_at', 'is', null)
    .executeTakeFirst();

/** Whether the login was somebody's before he was called otherwise. */
export async function isFormerLogin(
  sql: Sql,
  login: string,
  exceptUserId?: string,
): Promise<boolean> {
  const row = await sql
    .selectFrom('former_logins')
    .select('user_id')
    .where('login', '=', login)
    .executeTakeFirst();
  return row !== undefined && row.user_id !== exceptUserId;
}

export const keepFormerLogin = (sql: Sql, login: string, user_id: string): Promise<unknown> =>
  sql
    .insertInto('former_logins')
    .values({ login, user_id })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
