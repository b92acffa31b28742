import type { Instant } from '@postern/shared';
import { type Insertable, type Kysely, sql as raw, type Updateable } from 'kysely';
import { ts } from '../platform/instants.ts';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { ReviewTables } from '../platform/tables-reviews.ts';

type Sql = Kysely<Database>;

const terms = (sql: Sql) =>
  sql
    .selectFrom('review_terms as t')
    .innerJoin('groups as g', 'g.id', 't.group_id')
    .select([
      't.group_id as id',
      'g.name',
      'g.deleted_at',
      't.every_seconds',
      't.answer_within_seconds',
      't.unanswered',
      't.counted_since',
    ]);
export type TermsRow = Awaited<ReturnType<ReturnType<typeof terms>['execute']>>[number];

export const findTerms = (sql: Sql, groupId: string): Promise<TermsRow | undefined> =>
  terms(sql).where('t.group_id', '=', groupId).executeTakeFirst();

/** As {@link findTerms}; nobody else opens or ends a review of the group meanwhile. */
export const lockTerms = (sql: Sql, groupId: string): Promise<TermsRow | undefined> =>
  terms(sql).where('t.group_id', '=', groupId).forUpdate('t').executeTakeFirst();

export function listTerms(
  sql: Sql,
  filter: { readonly owner_id: string | undefined } & PageRequest,
): Promise<TermsRow[]> {
  let query = terms(sql).where('g.deleted_at', 'is', null);
  if (filter.owner_id !== undefined) query = query.where(ownedBy('t.group_id', filter.owner_id));
  if (filter.after !== undefined) query = query.where('t.group_id', '>', filter.after);
  return query
    .orderBy('t.group_id')
    .limit(filter.limit + 1)
    .execute();
}

const ownedBy = (group: string, userId: string) =>
  raw<boolean>`exists (select from group_owners o
    where o.group_id = ${raw.ref(group)} and o.user_id = ${userId})`;

export const putTerms = (
  sql: Sql,
  row: Insertable<ReviewTables['review_terms']>,
): Promise<unknown> =>
  sql
    .insertInto('review_terms')
    .values(row)
    .onConflict((conflict) => conflict.column('group_id').doUpdateSet(row))
    .execute();

export const countFrom = (sql: Sql, groupId: string, counted_since: Instant): Promise<unknown> =>
  sql.updateTable('review_terms').set({ counted_since }).where('group_id', '=', groupId).execute();

export const deleteTerms = (sql: Sql, groupId: string): Promise<unknown> =>
  sql.deleteFrom('review_terms').where('group_id', '=', groupId).execute();

/** Groups of which a review is to be opened, ended or canceled. */
export async function dueGroups(sql: Sql, now: Instant): Promise<string[]> {
  const rows = await sql
    .selectFrom('review_terms as t')
    .innerJoin('groups as g', 'g.id', 't.group_id')
    .select('t.group_id as id')
    .where('g.deleted_at', 'is', null)
    .where(raw<boolean>`t.counted_since + t.every_seconds * interval '1 second' <= ${ts(now)}`)
    .union(
      sql
        .selectFrom('reviews as r')
        .innerJoin('groups as g', 'g.id', 'r.group_id')
        .select('r.group_id as id')
        .where('r.state', '=', 'open')
        .where((e) => e.or([e('r.due_at', '<=', now), e('g.deleted_at', 'is not', null)])),
    )
    .execute();
  return rows.map((row) => row.id);
}

const OPEN_MEMBERS = raw<number>`(select count(*) from review_members m
  where m.review_id = r.id and m.outcome is null)`.as('open_members');
const MEMBERS = raw<number>`(select count(*) from review_members m
  where m.review_id = r.id)`.as('members');

const reviews = (sql: Sql) =>
  sql
    .selectFrom('reviews as r')
    .innerJoin('groups as g', 'g.id', 'r.group_id')
    .select([
      'r.id',
      'r.group_id',
      'g.name as group_name',
      'g.deleted_at as group_deleted_at',
      'r.state',
      'r.unanswered',
      'r.opened_at',
      'r.due_at',
      'r.closed_at',
      MEMBERS,
      OPEN_MEMBERS,
    ]);
export type ReviewRow = Awaited<ReturnType<ReturnType<typeof reviews>['execute']>>[number];

/** undefined as well for whoever is not among `owner_id`. */
export function findReview(
  sql: Sql,
  id: string,
  owner_id: string | undefined,
): Promise<ReviewRow | undefined> {
  const query = reviews(sql).where('r.id', '=', id);
  return (
    owner_id === undefined ? query : query.where(ownedBy('r.group_id', owner_id))
  ).executeTakeFirst();
}

export const findOpenReview = (sql: Sql, groupId: string): Promise<ReviewRow | undefined> =>
  reviews(sql).where('r.group_id', '=', groupId).where('r.state', '=', 'open').executeTakeFirst();

export const lockReview = (sql: Sql, id: string): Promise<unknown> =>
  sql.selectFrom('reviews').select('id').where('id', '=', id).forUpdate().execute();

export function listReviews(
  sql: Sql,
  filter: {
    readonly owner_id: string | undefined;
    readonly state: ReviewRow['state'] | undefined;
  } & PageRequest,
): Promise<ReviewRow[]> {
  let query = reviews(sql);
  if (filter.owner_id !== undefined) query = query.where(ownedBy('r.group_id', filter.owner_id));
  if (filter.state !== undefined) query = query.where('r.state', '=', filter.state);
  if (filter.after !== undefined) query = query.where('r.id', '<', filter.after);
  return query
    .orderBy('r.id', 'desc')
    .limit(filter.limit + 1)
    .execute();
}

export const insertReview = (
  sql: Sql,
  row: Insertable<ReviewTables['reviews']>,
): Promise<unknown> => sql.insertInto('reviews').values(row).execute();

export const endReview = (
  sql: Sql,
  id: string,
  state: 'done' | 'canceled',
  closed_at: Instant,
): Promise<unknown> =>
  sql.updateTable('reviews').set({ state, closed_at }).where('id', '=', id).execute();

/** Everybody who is in the group now by what is not pushed and not a rule's. @returns how many */
export async function insertMembersOf(
  sql: Sql,
  reviewId: string,
  groupId: string,
  now: Instant,
): Promise<number> {
  const inserted = await sql
    .insertInto('review_members')
    .columns(['review_id', 'user_id'])
    .expression(
      ours(sql, groupId, now)
        .select([raw<string>`${reviewId}::uuid`.as('review_id'), 'm.user_id'])
        .distinct(),
    )
    .executeTakeFirst();
  return Number(inserted.numInsertedOrUpdatedRows ?? 0);
}

const ours = (sql: Sql, groupId: string, now: Instant) =>
  sql
    .selectFrom('memberships as m')
    .where('m.group_id', '=', groupId)
    .where('m.source', 'in', ['direct', 'request'])
    .where('m.ended_at', 'is', null)
    .where((e) => e.or([e('m.expires_at', 'is', null), e('m.expires_at', '>', now)]));

const members = (sql: Sql) =>
  sql
    .selectFrom('review_members as m')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .leftJoin('users as a', 'a.id', 'm.answered_by')
    .select([
      'm.user_id as id',
      'u.name',
      'u.login',
      'm.outcome',
      'm.answered_by',
      'a.name as answerer_name',
      'm.answered_at',
      'm.comment',
      'm.reason',
    ]);
export type MemberRow = Awaited<ReturnType<ReturnType<typeof members>['execute']>>[number];

export const findMember = (
  sql: Sql,
  reviewId: string,
  userId: string,
): Promise<MemberRow | undefined> =>
  members(sql)
    .where('m.review_id', '=', reviewId)
    .where('m.user_id', '=', userId)
    .executeTakeFirst();

export function listMembers(
  sql: Sql,
  reviewId: string,
  page: PageRequest,
  which: 'all' | 'unanswered' = 'all',
): Promise<MemberRow[]> {
  let query = members(sql).where('m.review_id', '=', reviewId);
  if (which === 'unanswered') query = query.where('m.outcome', 'is', null);
  if (page.after !== undefined) query = query.where('m.user_id', '>', page.after);
  return query
    .orderBy('m.user_id')
    .limit(page.limit + 1)
    .execute();
}

export const updateMember = (
  sql: Sql,
  reviewId: string,
  userId: string,
  fields: Updateable<ReviewTables['review_members']>,
): Promise<unknown> =>
  sql
    .updateTable('review_members')
    .set(fields)
    .where('review_id', '=', reviewId)
    .where('user_id', '=', userId)
    .execute();

/** How many members a review ended with, by outcome. */
export async function countOutcomes(sql: Sql, reviewId: string): Promise<Record<string, number>> {
  const rows = await sql
    .selectFrom('review_members')
    .select((e) => ['outcome', e.fn.countAll<number>().as('count')])
    .where('review_id', '=', reviewId)
    .where('outcome', 'is not', null)
    .groupBy('outcome')
    .execute();
  return Object.fromEntries(rows.map((row) => [String(row.outcome), Number(row.count)]));
}

/** Whom a review is told to: the group's active owners, or else the admins, so that somebody is. */
export async function reviewersOf(sql: Sql, groupId: string, now: Instant): Promise<string[]> {
  const owners = await sql
    .selectFrom('group_owners as o')
    .innerJoin('users as u', 'u.id', 'o.user_id')
    .select('u.id')
    .where('o.group_id', '=', groupId)
    .where('u.status', '=', 'ACTIVE')
    .execute();
  if (owners.length > 0) return owners.map((row) => row.id);
  const admins = await sql
    .selectFrom('memberships as m')
    .innerJoin('role_bindings as b', 'b.group_id', 'm.group_id')
    .innerJoin('groups as g', 'g.id', 'm.group_id')
    .innerJoin('users as u', 'u.id', 'm.user_id')
    .select('u.id')
    .distinct()
    .where('b.role', '=', 'pam_admin')
    .where('g.deleted_at', 'is', null)
    .where('u.status', '=', 'ACTIVE')
    .where('m.ended_at', 'is', null)
    .where((e) => e.or([e('m.expires_at', 'is', null), e('m.expires_at', '>', now)]))
    .execute();
  return admins.map((row) => row.id);
}

/** The persons whom a service user stands for; none for a person. */
export async function ownersOfServiceUser(sql: Sql, userId: string): Promise<string[]> {
  const rows = await sql
    .selectFrom('service_user_owners')
    .select('owner_id')
    .where('service_user_id', '=', userId)
    .where('ended_at', 'is', null)
    .execute();
  return rows.map((row) => row.owner_id);
}
