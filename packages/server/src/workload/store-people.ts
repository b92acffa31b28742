import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { WorkloadTables } from '../platform/tables-workload.ts';

type Sql = Kysely<Database>;

const people = (sql: Sql) =>
  sql
    .selectFrom('workload_people as p')
    .innerJoin('users as u', 'u.id', 'p.user_id')
    .selectAll('p')
    .select('u.name as user_name');
export type PersonRow = Awaited<ReturnType<ReturnType<typeof people>['execute']>>[number];

export const findPerson = (sql: Sql, id: string): Promise<PersonRow | undefined> =>
  people(sql).where('p.id', '=', id).where('p.removed_at', 'is', null).executeTakeFirst();

export const findLinked = (
  sql: Sql,
  account: { readonly issuer: string; readonly actor_id: string },
): Promise<PersonRow | undefined> =>
  people(sql)
    .where('p.issuer', '=', account.issuer)
    .where('p.actor_id', '=', account.actor_id)
    .where('p.removed_at', 'is', null)
    .executeTakeFirst();

export function listPeople(sql: Sql, page: PageRequest): Promise<PersonRow[]> {
  let query = people(sql).where('p.removed_at', 'is', null);
  if (page.after !== undefined) query = query.where('p.id', '>', page.after);
  return query
    .orderBy('p.id')
    .limit(page.limit + 1)
    .execute();
}

export const insertPerson = (
  sql: Sql,
  row: Insertable<WorkloadTables['workload_people']>,
): Promise<unknown> => sql.insertInto('workload_people').values(row).execute();

export const removePerson = (sql: Sql, id: string, now: Instant): Promise<unknown> =>
  sql.updateTable('workload_people').set({ removed_at: now }).where('id', '=', id).execute();

/** Links of these accounts that are, or were at any time since. */
export const linksSince = async (
  sql: Sql,
  issuer: string,
  actorIds: readonly string[],
  since: Instant,
): Promise<PersonRow[]> =>
  actorIds.length === 0
    ? []
    : await people(sql)
        .where('p.issuer', '=', issuer)
        .where('p.actor_id', 'in', actorIds)
        .where((e) => e.or([e('p.removed_at', 'is', null), e('p.removed_at', '>=', since)]))
        .execute();
