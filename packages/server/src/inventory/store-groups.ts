import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';

type Sql = Kysely<Database>;

export const findResourceGroup = (sql: Sql, name: string) =>
  sql
    .selectFrom('resource_groups')
    .select(['id', 'name'])
    .where('name', '=', name)
    .executeTakeFirst();

export const listResourceGroups = (sql: Sql): Promise<{ id: string; name: string }[]> =>
  sql.selectFrom('resource_groups').select(['id', 'name']).orderBy('name').execute();

export const insertResourceGroup = (
  sql: Sql,
  row: Insertable<DomainTables['resource_groups']>,
): Promise<unknown> => sql.insertInto('resource_groups').values(row).execute();

export const projectsOf = (sql: Sql, groupIds: readonly string[]) =>
  groupIds.length === 0
    ? Promise.resolve([])
    : sql
        .selectFrom('projects')
        .select(['id', 'name', 'resource_group_id'])
        .where('resource_group_id', 'in', groupIds)
        .orderBy('name')
        .execute();

export const findProject = (sql: Sql, groupName: string, projectName: string) =>
  sql
    .selectFrom('projects as p')
    .innerJoin('resource_groups as g', 'g.id', 'p.resource_group_id')
    .select(['p.id', 'p.name'])
    .where('g.name', '=', groupName)
    .where('p.name', '=', projectName)
    .executeTakeFirst();

export const insertProject = (
  sql: Sql,
  row: Insertable<DomainTables['projects']>,
): Promise<unknown> => sql.insertInto('projects').values(row).execute();

export const resourceOwnersOf = (sql: Sql, groupIds: readonly string[]) =>
  groupIds.length === 0
    ? Promise.resolve([])
    : sql
        .selectFrom('resource_owners as o')
        .innerJoin('users as u', 'u.id', 'o.user_id')
        .select(['o.resource_group_id', 'o.user_id', 'u.login', 'u.name'])
        .where('o.resource_group_id', 'in', groupIds)
        .orderBy('u.login')
        .execute();

export const insertResourceOwner = (
  sql: Sql,
  row: Insertable<DomainTables['resource_owners']>,
): Promise<unknown> => sql.insertInto('resource_owners').values(row).execute();

export const deleteResourceOwner = (sql: Sql, groupId: string, userId: string): Promise<unknown> =>
  sql
    .deleteFrom('resource_owners')
    .where('resource_group_id', '=', groupId)
    .where('user_id', '=', userId)
    .execute();
