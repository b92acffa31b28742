import type { Instant } from '@postern/shared';
import { type Insertable, type Kysely, sql as raw, type Updateable } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { PushTables } from '../platform/tables-push.ts';

type Sql = Kysely<Database>;

const targets = (sql: Sql) =>
  sql
    .selectFrom('push_targets as t')
    .innerJoin('users as u', 'u.id', 't.created_by')
    .select(['t.id', 't.name', 't.url', 't.created_by', 'u.name as creator_name', 't.created_at'])
    .where('t.removed_at', 'is', null);
export type TargetRow = Awaited<ReturnType<ReturnType<typeof targets>['execute']>>[number];

export const findTarget = (sql: Sql, id: string): Promise<TargetRow | undefined> =>
  targets(sql).where('t.id', '=', id).executeTakeFirst();

export function listTargets(sql: Sql, page: PageRequest): Promise<TargetRow[]> {
  const query =
    page.after === undefined ? targets(sql) : targets(sql).where('t.id', '>', page.after);
  return query
    .orderBy('t.id')
    .limit(page.limit + 1)
    .execute();
}

export const isNameTaken = async (sql: Sql, name: string): Promise<boolean> =>
  (await sql
    .selectFrom('push_targets')
    .select('id')
    .where('name', '=', name)
    .executeTakeFirst()) !== undefined;

export const insertTarget = (
  sql: Sql,
  row: Insertable<PushTables['push_targets']>,
): Promise<unknown> => sql.insertInto('push_targets').values(row).execute();

export const removeTarget = (sql: Sql, id: string, now: Instant): Promise<unknown> =>
  sql
    .updateTable('push_targets')
    .set({ removed_at: now, sealed: raw`'{}'::jsonb` })
    .where('id', '=', id)
    .execute();

export const groupsOfTargets = async (
  sql: Sql,
  targetIds: readonly string[],
): Promise<{ target_id: string; id: string; name: string }[]> =>
  targetIds.length === 0
    ? []
    : await sql
        .selectFrom('push_target_groups as t')
        .innerJoin('groups as g', 'g.id', 't.group_id')
        .select(['t.target_id', 'g.id', 'g.name'])
        .where('t.target_id', 'in', targetIds)
        .orderBy('g.name')
        .execute();

export const addTargetGroup = (sql: Sql, target_id: string, group_id: string): Promise<unknown> =>
  sql.insertInto('push_target_groups').values({ target_id, group_id }).execute();

export const dropTargetGroup = (sql: Sql, targetId: string, groupId: string): Promise<unknown> =>
  sql
    .deleteFrom('push_target_groups')
    .where('target_id', '=', targetId)
    .where('group_id', '=', groupId)
    .execute();

/** Who is in a group by request, and by which. */
export const requestedIn = (sql: Sql, groupId: string, now: Instant) =>
  sql
    .selectFrom('memberships')
    .select(['user_id', 'request_id', 'group_id'])
    .where('group_id', '=', groupId)
    .where('source', '=', 'request')
    .where('ended_at', 'is', null)
    .where('expires_at', '>', now)
    .orderBy('id')
    .execute();

const pushes = (sql: Sql) =>
  sql
    .selectFrom('pushes as p')
    .innerJoin('push_targets as t', 't.id', 'p.target_id')
    .innerJoin('groups as g', 'g.id', 'p.group_id')
    .innerJoin('users as u', 'u.id', 'p.user_id')
    .selectAll('p')
    .select(['t.name as target_name', 'g.name as group_name', 'u.name as user_name', 'u.login']);
export type PushRow = Awaited<ReturnType<ReturnType<typeof pushes>['execute']>>[number];

export const findPush = (sql: Sql, id: string): Promise<PushRow | undefined> =>
  pushes(sql).where('p.id', '=', id).executeTakeFirst();

export function listPushes(
  sql: Sql,
  filter: { readonly state: PushRow['state'] | undefined } & PageRequest,
): Promise<PushRow[]> {
  let query = pushes(sql);
  if (filter.state !== undefined) query = query.where('p.state', '=', filter.state);
  if (filter.after !== undefined) query = query.where('p.id', '<', filter.after);
  return query
    .orderBy('p.id', 'desc')
    .limit(filter.limit + 1)
    .execute();
}

/** One that is due and that nobody is sending; nobody else sends it until `until`. */
export async function claimDue(
  sql: Sql,
  { now, until, claim }: { readonly now: Instant; readonly until: Instant; readonly claim: string },
): Promise<string | undefined> {
  const row = await sql
    .updateTable('pushes')
    .set((e) => ({ claim, claimed_until: until, attempts: e('attempts', '+', 1) }))
    .where('id', '=', (e) =>
      e
        .selectFrom('pushes')
        .select('id')
        .where('state', '=', 'waiting')
        .where('next_at', '<=', now)
        .where((o) => o.or([o('claimed_until', 'is', null), o('claimed_until', '<=', now)]))
        .orderBy('next_at')
        .orderBy('id')
        .limit(1)
        .forUpdate()
        .skipLocked(),
    )
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

/** The row as it is, held until the end. */
export async function lockPush(sql: Sql, id: string): Promise<PushRow | undefined> {
  await sql.selectFrom('pushes').select('id').where('id', '=', id).forUpdate().execute();
  return await findPush(sql, id);
}

export const updatePush = (
  sql: Sql,
  id: string,
  fields: Updateable<PushTables['pushes']>,
): Promise<unknown> => sql.updateTable('pushes').set(fields).where('id', '=', id).execute();

/** What is needed to tell it; undefined: the target, or the group of it, is removed. */
export const findDestination = (sql: Sql, push: PushRow) =>
  sql
    .selectFrom('push_targets as t')
    .innerJoin('push_target_groups as g', 'g.target_id', 't.id')
    .leftJoin('push_target_users as u', (on) =>
      on.onRef('u.target_id', '=', 't.id').on('u.user_id', '=', push.user_id),
    )
    .select([
      't.id',
      't.url',
      't.sealed',
      'g.remote_id as remote_group',
      'u.remote_id as remote_user',
    ])
    .where('t.id', '=', push.target_id)
    .where('t.removed_at', 'is', null)
    .where('g.group_id', '=', push.group_id)
    .executeTakeFirst();

/** null: forgets it. */
export async function rememberIds(
  sql: Sql,
  push: PushRow,
  ids: { readonly group: string | null; readonly user: string | null },
): Promise<void> {
  const { target_id, user_id, group_id } = push;
  await sql
    .updateTable('push_target_groups')
    .set({ remote_id: ids.group })
    .where('target_id', '=', target_id)
    .where('group_id', '=', group_id)
    .execute();
  if (ids.user === null)
    await sql
      .deleteFrom('push_target_users')
      .where('target_id', '=', target_id)
      .where('user_id', '=', user_id)
      .execute();
  else
    await sql
      .insertInto('push_target_users')
      .values({ target_id, user_id, remote_id: ids.user })
      .onConflict((conflict) =>
        conflict.columns(['target_id', 'user_id']).doUpdateSet({ remote_id: ids.user as string }),
      )
      .execute();
}

export async function countPushes(sql: Sql): Promise<{ waiting: number; dead: number }> {
  return await sql
    .selectFrom('pushes')
    .select([
      raw<number>`count(*) filter (where state = 'waiting')`.as('waiting'),
      raw<number>`count(*) filter (where state = 'dead')`.as('dead'),
    ])
    .executeTakeFirstOrThrow();
}
