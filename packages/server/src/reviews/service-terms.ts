import {
  durationText,
  type Relation,
  type ReviewedGroup,
  type ReviewTerms,
  seconds,
  toRfc3339,
} from '@postern/shared';
import { findGroup, findGroupByName, lockAdministration } from '../directory/index.ts';
import { authorOf, type Caller, eventBy, refTo } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { cancelReview } from './service-turn.ts';
import {
  deleteTerms,
  findOpenReview,
  findTerms,
  listTerms,
  lockTerms,
  putTerms,
  type TermsRow,
} from './store.ts';
import { nextReview, readTerms, sameTerms, type Terms } from './terms.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

const noGroup = (): Refusal => new Refusal('not_found', 'There is no such group.');

const termsOf = (row: TermsRow): Terms => ({
  every: seconds(row.every_seconds),
  answer_within: seconds(row.answer_within_seconds),
  unanswered: row.unanswered,
});

const describe = (row: TermsRow): ReviewedGroup => ({
  group: { id: row.id, name: row.name },
  every: durationText(row.every_seconds),
  answer_within: durationText(row.answer_within_seconds),
  unanswered: row.unanswered,
  next_at: toRfc3339(nextReview(termsOf(row), row.counted_since)),
});

/** The groups that are reviewed: all, or those that the caller owns. */
export async function listReviewedGroups(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  query: PageQuery,
): Promise<{ readonly list: ReviewedGroup[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  const owner_id = relations.has('any') ? undefined : caller.user_id;
  const cut = cutPage(await listTerms(tx.sql, { ...page, owner_id }), page);
  return { ...cut, list: cut.list.map(describe) };
}

/** Reviews the group from now on, or under other terms; a review that is open keeps its own. */
export async function setReviewTerms(
  tx: Tx,
  caller: Caller,
  groupId: string,
  wire: ReviewTerms,
): Promise<ReviewedGroup> {
  await lockAdministration(tx.sql);
  const group = await findGroup(tx.sql, groupId);
  if (group === undefined) throw noGroup();
  await changeTerms(tx, caller, group, wire, '');
  return describe((await findTerms(tx.sql, groupId)) as TermsRow);
}

/** As {@link setReviewTerms}, of a document of `apply`. @returns what changed, a line each */
export async function putReviewTerms(
  tx: Tx,
  caller: Caller,
  { name, review }: { readonly name: string; readonly review?: ReviewTerms },
): Promise<string[]> {
  if (review === undefined) return [];
  const group = await findGroupByName(tx.sql, name);
  if (group === undefined) throw new Error('a group has terms after it is made');
  return changeTerms(tx, caller, group, review, '/review');
}

async function changeTerms(
  tx: Tx,
  caller: Caller,
  group: Named,
  wire: ReviewTerms,
  pointer: string,
): Promise<string[]> {
  const { terms, faults } = readTerms(wire);
  refuseFaults(faults.map((f) => ({ ...f, pointer: `${pointer}${f.pointer}` })));
  const { every, answer_within, unanswered } = terms;
  const before = await lockTerms(tx.sql, group.id);
  if (before !== undefined && sameTerms(termsOf(before), terms)) return [];
  await putTerms(tx.sql, {
    group_id: group.id,
    every_seconds: every,
    answer_within_seconds: answer_within,
    unanswered,
    counted_since: before?.counted_since ?? tx.now,
  });
  const text = `review: every ${wire.every}, answers within ${wire.answer_within}, else ${unanswered}`;
  const changes = [text];
  await tx.audit(eventBy(caller, 'pam.group.update', [refTo('group', group)], { changes }));
  await tx.enqueue({
    name: 'group.review',
    payload: { group_id: group.id },
    start_at: nextReview(terms, before?.counted_since ?? tx.now),
  });
  return changes;
}

/** Reviews the group no more, and cancels a review that is open. */
export async function removeReviewTerms(tx: Tx, caller: Caller, groupId: string): Promise<void> {
  await lockAdministration(tx.sql);
  const terms = await lockTerms(tx.sql, groupId);
  if (terms === undefined || terms.deleted_at !== null)
    throw new Refusal('not_found', 'There is no such group, or nobody reviews it.');
  const changes = ['review: none'];
  await tx.audit(eventBy(caller, 'pam.group.update', [refTo('group', terms)], { changes }));
  const open = await findOpenReview(tx.sql, groupId);
  if (open !== undefined) await cancelReview(tx, authorOf(caller).actor, open);
  await deleteTerms(tx.sql, groupId);
}
