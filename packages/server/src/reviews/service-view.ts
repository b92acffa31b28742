import { type Relation, type Review, type ReviewMember, toRfc3339 } from '@postern/shared';
import { grantedMemberships } from '../directory/index.ts';
import type { Caller } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import type { Tx } from '../platform/tx.ts';
import {
  findReview,
  listMembers,
  listReviews as listReviewRows,
  type MemberRow,
  type ReviewRow,
} from './store.ts';

/** To whoever may see only what he owns, nothing else is there. */
export const ownerFilter = (
  caller: Caller,
  relations: ReadonlySet<Relation>,
): string | undefined => (relations.has('any') ? undefined : caller.user_id);

const describe = (row: ReviewRow): Review => ({
  id: row.id,
  group: { id: row.group_id, name: row.group_name },
  state: row.state,
  unanswered: row.unanswered,
  opened_at: toRfc3339(row.opened_at),
  due_at: toRfc3339(row.due_at),
  closed_at: row.closed_at === null ? null : toRfc3339(row.closed_at),
  members: row.members,
  open_members: row.open_members,
});

/** Newest first. */
export async function listReviews(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  query: PageQuery & { readonly state?: Review['state'] | undefined },
): Promise<{ readonly list: Review[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  const filter = { owner_id: ownerFilter(caller, relations), state: query.state };
  const cut = cutPage(await listReviewRows(tx.sql, { ...page, ...filter }), page);
  return { ...cut, list: cut.list.map(describe) };
}

export const getReview = async (
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<Review> => describe(await seenReview(tx, caller, relations, id));

async function seenReview(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<ReviewRow> {
  const review = await findReview(tx.sql, id, ownerFilter(caller, relations));
  if (review === undefined) throw new Refusal('not_found', 'There is no such review.');
  return review;
}

export async function listReviewMembers(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
  query: PageQuery,
): Promise<{ readonly list: ReviewMember[]; readonly next_cursor?: string }> {
  const review = await seenReview(tx, caller, relations, id);
  const page = pageOf(query);
  const cut = cutPage(await listMembers(tx.sql, id, page), page);
  return { ...cut, list: await describeMembers(tx, review, cut.list) };
}

export const describeMember = async (
  tx: Tx,
  review: ReviewRow,
  member: MemberRow,
): Promise<ReviewMember> => (await describeMembers(tx, review, [member]))[0] as ReviewMember;

async function describeMembers(
  tx: Tx,
  { group_id }: ReviewRow,
  members: readonly MemberRow[],
): Promise<ReviewMember[]> {
  const user_ids = members.map((member) => member.id);
  const rows = await grantedMemberships(tx.sql, tx.now, { group_id, user_ids });
  const byUser = Map.groupBy(rows, (row) => row.user_id);
  return members.map((member) => ({
    user: { id: member.id, name: member.name },
    login: member.login,
    memberships: (byUser.get(member.id) ?? []).map(({ source, request_id, expires_at }) => ({
      source,
      request_id,
      expires_at: expires_at === null ? null : toRfc3339(expires_at),
    })),
    outcome: member.outcome,
    answered_by:
      member.answered_by === null
        ? null
        : { id: member.answered_by, name: member.answerer_name ?? '' },
    answered_at: member.answered_at === null ? null : toRfc3339(member.answered_at),
    comment: member.comment,
    reason: member.reason,
  }));
}
