import { plus, seconds, toRfc3339 } from '@postern/shared';
import { eventFrom, refTo } from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { SYSTEM } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import type { Tx } from '../platform/tx.ts';
import {
  countFrom,
  countOutcomes,
  endReview,
  findOpenReview,
  insertMembersOf,
  insertReview,
  listMembers,
  lockReview,
  lockTerms,
  type ReviewRow,
  reviewersOf,
  type TermsRow,
} from './store.ts';
import { nextReview } from './terms.ts';

const BY_US = { actor: SYSTEM };

/** How many members are settled between two looks at what is due. */
const FIRST = { limit: 200, after: undefined };

/**
 * Does what is due for a group: cancels the review of a group that is gone, ends one in which
 * everybody is answered for, and opens the next.
 *
 * @returns a review that is over, with members whom the group's terms now decide about
 */
export async function turnReview(
  tx: Tx,
  groupId: string,
): Promise<{ readonly review: ReviewRow; readonly unanswered: readonly string[] } | undefined> {
  const terms = await lockTerms(tx.sql, groupId);
  const open = await findOpenReview(tx.sql, groupId);
  if (open !== undefined) {
    await lockReview(tx.sql, open.id);
    const waiting = await listMembers(tx.sql, open.id, FIRST, 'unanswered');
    if (open.group_deleted_at !== null) await cancelReview(tx, SYSTEM, open);
    else if (waiting.length === 0) await closeReview(tx, open);
    else if (open.due_at > tx.now) return undefined;
    else return { review: open, unanswered: waiting.map((member) => member.id) };
  }
  if (terms === undefined || terms.deleted_at !== null) return undefined;
  const due = nextReview({ every: seconds(terms.every_seconds) }, terms.counted_since);
  if (due <= tx.now) await openReview(tx, terms);
  return undefined;
}

/** The next one is counted from now, so that one that comes late is not followed at once by another. */
async function openReview(tx: Tx, terms: TermsRow): Promise<void> {
  const group = { id: terms.id, name: terms.name };
  const id = tx.ids.uuid();
  const due_at = plus(tx.now, seconds(terms.answer_within_seconds));
  await countFrom(tx.sql, group.id, tx.now);
  await insertReview(tx.sql, {
    id,
    group_id: group.id,
    state: 'open',
    unanswered: terms.unanswered,
    opened_at: tx.now,
    due_at,
  });
  const members = await insertMembersOf(tx.sql, id, group.id, tx.now);
  const details = { members, due_at: toRfc3339(due_at), unanswered: terms.unanswered };
  await tx.audit(eventFrom(BY_US, 'pam.group_review.open', targetsOf(id, group), details));
  const payload = { group_id: group.id };
  await tx.enqueue({ name: 'group.review', payload, start_at: due_at });
  await tx.enqueue({
    name: 'group.review',
    payload,
    start_at: plus(tx.now, seconds(terms.every_seconds)),
  });
  if (members === 0) return closeReview(tx, { id, group_id: group.id, group_name: group.name });
  const body = { ...details, group: group.name, review_id: id };
  await sendLater(
    tx,
    (await reviewersOf(tx.sql, group.id, tx.now)).map((to) => ({
      to,
      kind: 'review_opened',
      request_id: null,
      body,
    })),
  );
}

/** Ends a review in which everybody is answered for; its row is held. */
export async function closeReview(tx: Tx, review: ReviewRef): Promise<void> {
  await endReview(tx.sql, review.id, 'done', tx.now);
  const counts = await countOutcomes(tx.sql, review.id);
  await tx.audit(
    eventFrom(BY_US, 'pam.group_review.close', targetsOf(review.id, groupOf(review)), counts),
  );
}

export async function cancelReview(
  tx: Tx,
  actor: EventReference,
  review: ReviewRow,
): Promise<void> {
  await endReview(tx.sql, review.id, 'canceled', tx.now);
  await tx.audit(
    eventFrom({ actor }, 'pam.group_review.cancel', targetsOf(review.id, groupOf(review))),
  );
}

type ReviewRef = Pick<ReviewRow, 'id' | 'group_id' | 'group_name'>;

export const groupOf = (review: ReviewRef) => ({ id: review.group_id, name: review.group_name });

/** What an event about a review names, the group's filter of the log included. */
export const targetsOf = (
  reviewId: string,
  group: { readonly id: string; readonly name: string },
): EventReference[] => [refTo('review', { id: reviewId, name: group.name }), refTo('group', group)];
