import type { Instant } from '@postern/shared';
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';

type Sql = Kysely<Database>;
type Types = DomainTables['request_types'];
export type TypeRow = Selectable<Types>;
export type VersionRow = Selectable<DomainTables['request_type_versions']>;

export const insertType = (db: Sql, row: Insertable<Types>): Promise<TypeRow> =>
  db.insertInto('request_types').values(row).returningAll().executeTakeFirstOrThrow();

export const updateType = (db: Sql, id: string, fields: Updateable<Types>): Promise<TypeRow> =>
  db
    .updateTable('request_types')
    .set(fields)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

export const insertVersion = (
  db: Sql,
  row: Insertable<DomainTables['request_type_versions']>,
): Promise<unknown> => db.insertInto('request_type_versions').values(row).execute();

export const findType = (db: Sql, id: string) =>
  db.selectFrom('request_types').selectAll().where('id', '=', id).executeTakeFirst();

export const findTypeByName = (db: Sql, name: string) =>
  db.selectFrom('request_types').selectAll().where('name', '=', name).executeTakeFirst();

export const findVersion = (db: Sql, id: string, version: number) =>
  db
    .selectFrom('request_type_versions')
    .selectAll()
    .where('request_type_id', '=', id)
    .where('version', '=', version)
    .executeTakeFirst();

export async function newestVersion(db: Sql, id: string): Promise<number> {
  const row = await db
    .selectFrom('request_type_versions')
    .select((e) => e.fn.max('version').as('version'))
    .where('request_type_id', '=', id)
    .executeTakeFirst();
  return row?.version ?? 0;
}

export const listTypes = (db: Sql, filter: { name?: string; before?: string; limit: number }) => {
  let query = db.selectFrom('request_types').selectAll();
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  if (filter.before !== undefined) query = query.where('id', '<', filter.before);
  return query
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
    .execute();
};

export const deleteType = (db: Sql, id: string): Promise<unknown> =>
  db.deleteFrom('request_types').where('id', '=', id).execute();

/** What runs, by name. */
export const publishedTypes = (db: Sql) =>
  db
    .selectFrom('request_types as t')
    .innerJoin('request_type_versions as v', (join) =>
      join.onRef('v.request_type_id', '=', 't.id').onRef('v.version', '=', 't.published_version'),
    )
    .select(['t.id', 't.name', 'v.version', 'v.definition', 'v.source'])
    .where('t.state', '=', 'published')
    .orderBy('t.name')
    .execute();

export interface Member {
  readonly id: string;
  readonly name: string;
  /** Every group the person is in now. */
  readonly groups: readonly string[];
}

/** Active people who are in any of the groups now, by name. */
export async function membersOfGroups(
  db: Sql,
  groupIds: readonly string[],
  now: Instant,
): Promise<Member[]> {
  if (groupIds.length === 0) return [];
  const rows = await db
    .selectFrom('memberships as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .innerJoin('groups as g', 'g.id', 'm.group_id')
    .select(['u.id', 'u.name', 'm.group_id'])
    .where('m.ended_at', 'is', null)
    .where('g.deleted_at', 'is', null)
    .where('u.status', '=', 'ACTIVE')
    .where((e) => e.or([e('m.expires_at', 'is', null), e('m.expires_at', '>', now)]))
    .orderBy('u.name')
    .execute();
  const people = new Map<string, { id: string; name: string; groups: string[] }>();
  for (const { id, name, group_id } of rows) {
    const found = people.get(id) ?? { id, name, groups: [] };
    found.groups.push(group_id);
    people.set(id, found);
  }
  return [...people.values()].filter((p) => p.groups.some((group) => groupIds.includes(group)));
}

/** Groups and users by the names that a definition may use. */
export async function namesFor(db: Sql): Promise<{
  groups: { id: string; name: string }[];
  users: { id: string; login: string; name: string }[];
}> {
  return {
    groups: await db
      .selectFrom('groups')
      .select(['id', 'name'])
      .where('deleted_at', 'is', null)
      .execute(),
    users: await db
      .selectFrom('users')
      .select(['id', 'login', 'name'])
      .where('status', '<>', 'DELETED')
      .execute(),
  };
}
