import type { Instant } from '@postern/shared';
import { type Insertable, type Kysely, sql as raw, type Updateable } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';

type Sql = Kysely<Database>;

/**
 * One administrative writer at a time. What must be unique over several tables (login names
 * on servers) or must stay (the last admin) is then a plain read. Taken before any other
 * lock of the writer's own.
 */
export const lockAdministration = (sql: Sql): Promise<unknown> =>
  raw`select pg_advisory_xact_lock(hashtextextended('administration', 0))`.execute(sql);

const userView = (sql: Sql) =>
  sql
    .selectFrom('users as u')
    .leftJoin('users as m', 'm.id', 'u.manager_id')
    .select([
      'u.id',
      'u.login',
      'u.name',
      'u.email',
      'u.type',
      'u.status',
      'u.manager_id',
      'm.name as manager_name',
      'm.login as manager_login',
      'u.unix_name',
      'u.attributes',
      'u.created_at',
    ]);
export type UserView = Awaited<ReturnType<ReturnType<typeof userView>['execute']>>[number];

export const findUser = (sql: Sql, id: string): Promise<UserView | undefined> =>
  userView(sql).where('u.id', '=', id).executeTakeFirst();

export const findUserByLogin = (sql: Sql, login: string): Promise<UserView | undefined> =>
  userView(sql).where('u.login', '=', login).executeTakeFirst();

/** A user, deleted ones too, whom people would take for one of this login. */
export const findLookalikeUser = (sql: Sql, login: string) =>
  sql
    .selectFrom('users')
    .select(['id', 'login'])
    .where('skeleton', '=', raw<string>`login_skeleton(${login})`)
    .executeTakeFirst();

export const findUserByUnixName = (sql: Sql, unixName: string) =>
  sql
    .selectFrom('users')
    .select(['id', 'login'])
    .where('unix_name', '=', unixName)
    .executeTakeFirst();

/** Ids by login, of those that exist. */
export async function idsOfLogins(
  sql: Sql,
  logins: Iterable<string>,
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(logins)];
  if (wanted.length === 0) return new Map();
  const rows = await sql
    .selectFrom('users')
    .select(['id', 'login'])
    .where('login', 'in', wanted)
    .execute();
  return new Map(rows.map((row) => [row.login, row.id]));
}

export function listUsers(
  sql: Sql,
  filter: { readonly login: string | undefined } & PageRequest,
): Promise<UserView[]> {
  let query = userView(sql);
  if (filter.login !== undefined) query = query.where('u.login', '=', filter.login);
  if (filter.after !== undefined) query = query.where('u.id', '>', filter.after);
  return query
    .orderBy('u.id')
    .limit(filter.limit + 1)
    .execute();
}

export const insertUser = (sql: Sql, row: Insertable<DomainTables['users']>): Promise<unknown> =>
  sql.insertInto('users').values(row).execute();

export const updateUserRow = (
  sql: Sql,
  id: string,
  fields: Updateable<DomainTables['users']>,
): Promise<unknown> => sql.updateTable('users').set(fields).where('id', '=', id).execute();

/** Whether a vaulted account anywhere logs in under this name. */
export async function isVaultedUsername(sql: Sql, username: string): Promise<boolean> {
  const row = await sql
    .selectFrom('accounts')
    .select('id')
    .where('username', '=', username)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}

/** Whether somebody's own account has this name. Deleting a user does not free it. */
export async function isPersonsUnixName(sql: Sql, name: string): Promise<boolean> {
  return (await findUserByUnixName(sql, name)) !== undefined;
}

export const liveServiceOwners = (sql: Sql, serviceUserId: string) =>
  sql
    .selectFrom('service_user_owners as o')
    .innerJoin('users as u', 'u.id', 'o.owner_id')
    .select(['o.id', 'o.owner_id', 'u.login'])
    .where('o.service_user_id', '=', serviceUserId)
    .where('o.ended_at', 'is', null)
    .orderBy('u.login')
    .execute();

export const insertServiceOwner = (
  sql: Sql,
  row: Insertable<DomainTables['service_user_owners']>,
): Promise<unknown> => sql.insertInto('service_user_owners').values(row).execute();

export const endServiceOwner = (sql: Sql, id: string, now: Instant): Promise<unknown> =>
  sql.updateTable('service_user_owners').set({ ended_at: now }).where('id', '=', id).execute();

/** The templates after which servers call accounts for admin-level access. */
export async function adminTemplates(sql: Sql): Promise<string[]> {
  const rows = await sql
    .selectFrom('servers')
    .select('admin_account_template as template')
    .distinct()
    .where('state', '<>', 'DELETED')
    .where('admin_account_template', 'is not', null)
    .execute();
  return rows.map((row) => row.template ?? '');
}

/** One of these names that is somebody's own account. */
export async function takenUnixName(
  sql: Sql,
  names: readonly string[],
): Promise<string | undefined> {
  if (names.length === 0) return undefined;
  const row = await sql
    .selectFrom('users')
    .select('unix_name')
    .where('unix_name', 'in', names)
    .executeTakeFirst();
  return row?.unix_name ?? undefined;
}

/** Two people's own accounts of which the template makes one out of the other. */
export async function clashOfTemplate(
  sql: Sql,
  template: string,
): Promise<{ person: string; made: string } | undefined> {
  const [before = '', after = ''] = template.split('{unix_name}');
  const { rows } = await raw<{ person: string; made: string }>`
    select a.unix_name as person, b.unix_name as made
    from users a join users b on b.unix_name = ${before}::text || a.unix_name || ${after}::text
    limit 1`.execute(sql);
  return rows[0];
}
