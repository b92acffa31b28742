import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';

type Sql = Kysely<Database>;

const views = (db: Sql) =>
  db
    .selectFrom('delegations as d')
    .innerJoin('users as f', 'f.id', 'd.from_user_id')
    .innerJoin('users as t', 't.id', 'd.to_user_id')
    .select([
      'd.id',
      'd.from_user_id',
      'f.login as from_login',
      'f.name as from_name',
      'd.to_user_id',
      't.login as to_login',
      't.name as to_name',
      'd.starts_at',
      'd.ends_at',
      'd.ended_at',
      'd.reason',
      'd.created_at',
    ]);

export type DelegationView = Awaited<ReturnType<ReturnType<typeof views>['execute']>>[number];

export const findDelegation = (db: Sql, id: string): Promise<DelegationView | undefined> =>
  views(db).where('d.id', '=', id).executeTakeFirst();

/** In force or to come, newest first; one more than `limit` says that there is a next page. */
export function listOpen(
  db: Sql,
  filter: { user_id?: string; after?: string | undefined; limit: number; now: Instant },
): Promise<DelegationView[]> {
  const { user_id, after, limit, now } = filter;
  let query = views(db).where('d.ends_at', '>', now).where('d.ended_at', 'is', null);
  if (user_id !== undefined)
    query = query.where((e) =>
      e.or([e('d.from_user_id', '=', user_id), e('d.to_user_id', '=', user_id)]),
    );
  if (after !== undefined) query = query.where('d.id', '<', after);
  return query
    .orderBy('d.id', 'desc')
    .limit(limit + 1)
    .execute();
}

export async function countOpen(db: Sql, fromUserId: string, now: Instant): Promise<number> {
  const row = await db
    .selectFrom('delegations')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('from_user_id', '=', fromUserId)
    .where('ends_at', '>', now)
    .where('ended_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export const insertDelegation = (
  db: Sql,
  row: Insertable<DomainTables['delegations']>,
): Promise<unknown> => db.insertInto('delegations').values(row).execute();

export const markEnded = (db: Sql, id: string, now: Instant): Promise<unknown> =>
  db.updateTable('delegations').set({ ended_at: now }).where('id', '=', id).execute();

/**
 * The accounts, and whoever owns or once owned a service user among them: of its tokens he
 * may have kept one.
 */
export async function withOwners(db: Sql, ids: readonly string[]): Promise<string[]> {
  const all = new Set(ids);
  for (let open = [...all]; open.length > 0; ) {
    const rows = await db
      .selectFrom('service_user_owners')
      .select('owner_id')
      .distinct()
      .where('service_user_id', 'in', open)
      .execute();
    open = rows.map((row) => row.owner_id).filter((id) => !all.has(id));
    for (const id of open) all.add(id);
  }
  return [...all];
}

export const findPerson = (db: Sql, login: string) =>
  db
    .selectFrom('users')
    .select(['id', 'login', 'name', 'type', 'status'])
    .where('login', '=', login)
    .executeTakeFirst();
