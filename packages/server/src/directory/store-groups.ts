import type { Instant, Role } from '@postern/shared';
import { type Insertable, type Kysely, sql as raw } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';
import type { Admins } from './admins.ts';

type Sql = Kysely<Database>;

/** Memberships that are effective at `now`, in groups that exist. */
const live = (sql: Sql, now: Instant) =>
  sql
    .selectFrom('memberships as m')
    .innerJoin('groups as g', 'g.id', 'm.group_id')
    .where('m.ended_at', 'is', null)
    .where('g.deleted_at', 'is', null)
    .where((e) => e.or([e('m.expires_at', 'is', null), e('m.expires_at', '>', now)]));

/** The end of the path that lasts longest; null: one of them stands without an end. */
const VALID_UNTIL = raw<Instant | null>`
  case when bool_or(m.expires_at is null) then null else max(m.expires_at) end`.as('valid_until');

/** The groups a user is in, each with the end of the path that lasts longest. */
export const membershipsOf = (
  sql: Sql,
  userId: string,
  now: Instant,
): Promise<{ group_id: string; name: string; valid_until: Instant | null }[]> =>
  live(sql, now)
    .select(['m.group_id', 'g.name', VALID_UNTIL])
    .where('m.user_id', '=', userId)
    .groupBy(['m.group_id', 'g.name'])
    .orderBy('g.name')
    .execute();

/** The users in a group, whatever their status, each with the end of the path that lasts longest. */
export const membersOf = (
  sql: Sql,
  groupId: string,
  now: Instant,
): Promise<{ user_id: string; valid_until: Instant | null }[]> =>
  live(sql, now)
    .select(['m.user_id', VALID_UNTIL])
    .where('m.group_id', '=', groupId)
    .groupBy('m.user_id')
    .orderBy('m.user_id')
    .execute();

/** Who could undo a change of roles, at `now`. */
export async function countAdmins(sql: Sql, now: Instant): Promise<Admins> {
  const rows = await live(sql, now)
    .innerJoin('role_bindings as b', 'b.group_id', 'm.group_id')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select(['u.id', 'u.type'])
    .distinct()
    .where('b.role', '=', 'pam_admin')
    .where('u.status', '=', 'ACTIVE')
    .where('m.expires_at', 'is', null)
    .execute();
  const people = rows.filter((row) => row.type === 'human').length;
  return { people, service_users: rows.length - people };
}

/** Rows that nobody has ended, over or not, in groups that exist or did. */
const openRows = (sql: Sql) =>
  sql
    .selectFrom('memberships as m')
    .innerJoin('groups as g', 'g.id', 'm.group_id')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select([
      'm.id',
      'm.group_id',
      'g.name as group_name',
      'm.user_id',
      'u.name as user_name',
      'm.source',
      'm.request_id',
      'm.expires_at',
    ])
    .where('m.ended_at', 'is', null)
    .orderBy('m.id');

const liveRows = (sql: Sql, now: Instant) =>
  openRows(sql)
    .where('g.deleted_at', 'is', null)
    .where((e) => e.or([e('m.expires_at', 'is', null), e('m.expires_at', '>', now)]));
export type MembershipRow = Awaited<ReturnType<ReturnType<typeof liveRows>['execute']>>[number];

/** Live rows of one user: several for one group are possible. */
export function liveMemberships(
  sql: Sql,
  now: Instant,
  which: { readonly user_id: string; readonly group_id?: string },
): Promise<MembershipRow[]> {
  const query = liveRows(sql, now).where('m.user_id', '=', which.user_id);
  return (
    which.group_id === undefined ? query : query.where('m.group_id', '=', which.group_id)
  ).execute();
}

/** What a request gave and nobody has taken away, over or not. */
export const requestedMemberships = (sql: Sql, requestId: string): Promise<MembershipRow[]> =>
  openRows(sql).where('m.request_id', '=', requestId).execute();

/** What an admin or a request gave these users in one group, and is live; `made_by_then`: only what was there. */
export async function grantedMemberships(
  sql: Sql,
  now: Instant,
  which: {
    readonly group_id: string;
    readonly user_ids: readonly string[];
    readonly made_by_then?: Instant;
  },
): Promise<MembershipRow[]> {
  if (which.user_ids.length === 0) return [];
  const query = liveRows(sql, now)
    .where('m.group_id', '=', which.group_id)
    .where('m.user_id', 'in', which.user_ids)
    .where('m.source', 'in', ['direct', 'request']);
  return await (which.made_by_then === undefined
    ? query
    : query.where('m.created_at', '<=', which.made_by_then)
  ).execute();
}

export function listMembers(
  sql: Sql,
  now: Instant,
  filter: { readonly group_id: string } & PageRequest,
): Promise<MembershipRow[]> {
  let query = liveRows(sql, now).where('m.group_id', '=', filter.group_id);
  if (filter.after !== undefined) query = query.where('m.id', '>', filter.after);
  return query.limit(filter.limit + 1).execute();
}

/** In one statement: well below the 65,535 parameters that it may have. */
const ROWS = 1_000;

export async function insertMemberships(
  sql: Sql,
  rows: readonly Insertable<DomainTables['memberships']>[],
): Promise<void> {
  for (let i = 0; i < rows.length; i += ROWS)
    await sql
      .insertInto('memberships')
      .values(rows.slice(i, i + ROWS))
      .execute();
}

export const endMemberships = async (
  sql: Sql,
  ids: readonly string[],
  now: Instant,
): Promise<void> => {
  if (ids.length === 0) return;
  await sql.updateTable('memberships').set({ ended_at: now }).where('id', 'in', ids).execute();
};

export const findGroup = (sql: Sql, id: string) =>
  sql
    .selectFrom('groups')
    .select(['id', 'name', 'source'])
    .where('id', '=', id)
    .where('deleted_at', 'is', null)
    .executeTakeFirst();

export const findGroupByName = (sql: Sql, name: string) =>
  sql
    .selectFrom('groups')
    .select(['id', 'name', 'source', 'deleted_at'])
    .where('name', '=', name)
    .executeTakeFirst();

/** A group, deleted ones too, that people would take for one of this name. */
export const findLookalikeGroup = (sql: Sql, name: string) =>
  sql
    .selectFrom('groups')
    .select(['id', 'name'])
    .where('skeleton', '=', raw<string>`name_skeleton(${name})`)
    .executeTakeFirst();

/** Held until the end: nobody is added to the group meanwhile (a membership's foreign key waits). */
export const lockGroup = (sql: Sql, id: string): Promise<unknown> =>
  sql.selectFrom('groups').select('id').where('id', '=', id).forUpdate().execute();

export function listGroups(
  sql: Sql,
  filter: {
    readonly name: string | undefined;
    /** Only groups of this owner; undefined: all. */
    readonly owner_id: string | undefined;
  } & PageRequest,
): Promise<{ id: string; name: string; source: string }[]> {
  let query = sql
    .selectFrom('groups')
    .select(['id', 'name', 'source'])
    .where('deleted_at', 'is', null);
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  const owner = filter.owner_id;
  if (owner !== undefined)
    query = query.where((e) =>
      e.exists(
        e
          .selectFrom('group_owners as o')
          .select('o.group_id')
          .whereRef('o.group_id', '=', 'groups.id')
          .where('o.user_id', '=', owner),
      ),
    );
  if (filter.after !== undefined) query = query.where('id', '>', filter.after);
  return query
    .orderBy('id')
    .limit(filter.limit + 1)
    .execute();
}

export const insertGroup = (sql: Sql, row: Insertable<DomainTables['groups']>): Promise<unknown> =>
  sql.insertInto('groups').values(row).execute();

export async function rolesOfGroups(
  sql: Sql,
  groupIds: readonly string[],
): Promise<{ group_id: string; role: Role }[]> {
  if (groupIds.length === 0) return [];
  return await sql
    .selectFrom('role_bindings')
    .select(['group_id', 'role'])
    .where('group_id', 'in', groupIds)
    .orderBy('role')
    .execute();
}

export const insertRole = (
  sql: Sql,
  row: Insertable<DomainTables['role_bindings']>,
): Promise<unknown> => sql.insertInto('role_bindings').values(row).execute();

export const deleteRole = (sql: Sql, groupId: string, role: Role): Promise<unknown> =>
  sql
    .deleteFrom('role_bindings')
    .where('group_id', '=', groupId)
    .where('role', '=', role)
    .execute();

export async function ownersOfGroups(sql: Sql, groupIds: readonly string[]) {
  if (groupIds.length === 0) return [];
  return await sql
    .selectFrom('group_owners as o')
    .innerJoin('users as u', 'u.id', 'o.user_id')
    .select(['o.group_id', 'o.user_id', 'u.login', 'u.name'])
    .where('o.group_id', 'in', groupIds)
    .orderBy('u.login')
    .execute();
}

export const insertGroupOwner = (
  sql: Sql,
  row: Insertable<DomainTables['group_owners']>,
): Promise<unknown> => sql.insertInto('group_owners').values(row).execute();

export const deleteGroupOwner = (sql: Sql, groupId: string, userId: string): Promise<unknown> =>
  sql
    .deleteFrom('group_owners')
    .where('group_id', '=', groupId)
    .where('user_id', '=', userId)
    .execute();
