import type { Body, Relation, ReviewMember } from '@postern/shared';
import {
  countAdmins,
  grantedMemberships,
  leaveGroup,
  lockAdministration,
  refuseLockout,
} from '../directory/index.ts';
import { authorOf, type Caller, eventBy, eventFrom, makersOf, refTo } from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { SYSTEM } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { plainTextFaults, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { type MayAnswer, mayAnswer } from './may-answer.ts';
import { closeReview, groupOf, targetsOf } from './service-turn.ts';
import { describeMember, ownerFilter } from './service-view.ts';
import {
  findMember,
  findReview,
  lockReview,
  type MemberRow,
  ownersOfServiceUser,
  type ReviewRow,
  updateMember,
} from './store.ts';

type Why = Extract<MayAnswer, { ok: false }>['reason'];

const REFUSALS: Readonly<Record<Why, () => Refusal>> = {
  himself: () =>
    new Refusal('not_permitted', 'Nobody answers for himself in a review.', {
      next: 'Another owner of the group, or a pam_admin, answers.',
    }),
  closed: () => new Refusal('state_conflict', 'The review is over.'),
  gone: () => new Refusal('already_decided', 'The member has left the group by now.'),
};

/** Keeps a member of a group that the caller owns, or takes away what an admin or a request gave him. */
export async function answerReview(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  ids: { readonly id: string; readonly user_id: string },
  { answer, comment }: Body<'answerReview'>,
): Promise<ReviewMember> {
  refuseFaults(plainTextFaults({ '/comment': comment }));
  await lockAdministration(tx.sql);
  // Before the member's lock: his own is held for reading, and another answer may wait for it.
  const persons = await personsBehind(tx, caller);
  if (persons.includes(ids.user_id)) throw REFUSALS.himself();
  await bumpRevisions(tx.sql, [ids.user_id]);
  await lockReview(tx.sql, ids.id);
  const review = await findReview(tx.sql, ids.id, ownerFilter(caller, relations));
  if (review === undefined) throw new Refusal('not_found', 'There is no such review.');
  const member = await findMember(tx.sql, review.id, ids.user_id);
  if (member === undefined)
    throw new Refusal('not_found', 'The review is not about such a member.', {
      next: `\`sft-admin reviews show ${review.id}\` says whom it is about.`,
    });
  const may = mayAnswer({
    member_id: member.id,
    persons,
    review_state: review.state,
    is_over: review.due_at <= tx.now,
    outcome: member.outcome,
  });
  if (!may.ok) throw REFUSALS[may.reason]();
  if (answer === 'keep') await keep(tx, review, member);
  else await remove(tx, authorOf(caller).actor, review, member);
  const fields = { answered_by: caller.user_id, comment: comment ?? null };
  await updateMember(tx.sql, review.id, member.id, fields);
  const done = (await findMember(tx.sql, review.id, member.id)) as MemberRow;
  await tx.audit(
    eventBy(caller, 'pam.group_review.answer', [...about(review), userOf(member)], {
      answer,
      outcome: done.outcome,
      ...(comment === undefined ? {} : { comment }),
    }),
  );
  const after = await findReview(tx.sql, review.id, undefined);
  if (after?.open_members === 0) await closeReview(tx, after);
  return describeMember(tx, review, done);
}

const about = (review: ReviewRow): EventReference[] => targetsOf(review.id, groupOf(review));
const userOf = (member: MemberRow): EventReference => refTo('user', member);

/** The caller, whoever issued his token, and whom he stands for as a service user. */
const personsBehind = async (tx: Tx, caller: Caller): Promise<string[]> => [
  ...makersOf(caller),
  ...(caller.type === 'service' ? await ownersOfServiceUser(tx.sql, caller.user_id) : []),
];

/**
 * Does for a member whom nobody answered for what the group's terms say, after the end of the
 * review. What he was given since it was opened is not touched: nobody was asked about it.
 *
 * @throws Refusal when he cannot be removed
 */
export async function settleUnanswered(tx: Tx, reviewId: string, userId: string): Promise<void> {
  const found = await findUnsettled(tx, reviewId, userId);
  if (found === undefined) return;
  const { review, member } = found;
  if (review.unanswered === 'keep') await keep(tx, review, member);
  else await remove(tx, SYSTEM, review, member, 'made before');
  await tellOfUnanswered(tx, review, member, null);
}

/** As {@link settleUnanswered} for a member who cannot be removed, and why. */
export async function keepUnanswered(
  tx: Tx,
  reviewId: string,
  userId: string,
  reason: string,
): Promise<void> {
  const found = await findUnsettled(tx, reviewId, userId);
  if (found === undefined) return;
  await keep(tx, found.review, found.member);
  await updateMember(tx.sql, reviewId, userId, { reason });
  await tellOfUnanswered(tx, found.review, found.member, reason);
}

async function findUnsettled(tx: Tx, reviewId: string, userId: string) {
  await lockAdministration(tx.sql);
  await bumpRevisions(tx.sql, [userId]);
  await lockReview(tx.sql, reviewId);
  const review = await findReview(tx.sql, reviewId, undefined);
  const member = await findMember(tx.sql, reviewId, userId);
  const isDue = review?.state === 'open' && review.due_at <= tx.now;
  return isDue && member?.outcome === null ? { review, member } : undefined;
}

async function tellOfUnanswered(
  tx: Tx,
  review: ReviewRow,
  member: MemberRow,
  reason: string | null,
): Promise<void> {
  const settled = await findMember(tx.sql, review.id, member.id);
  await tx.audit(
    eventFrom({ actor: SYSTEM }, 'pam.group_review.answer', [...about(review), userOf(member)], {
      answer: null,
      outcome: settled?.outcome,
      ...(reason === null ? {} : { reason }),
    }),
  );
}

const rowsOf = (tx: Tx, review: ReviewRow, member: MemberRow, until?: 'made before') =>
  grantedMemberships(tx.sql, tx.now, {
    group_id: review.group_id,
    user_ids: [member.id],
    ...(until === undefined ? {} : { made_by_then: review.opened_at }),
  });

async function keep(tx: Tx, review: ReviewRow, member: MemberRow): Promise<void> {
  const outcome = (await rowsOf(tx, review, member)).length === 0 ? 'left' : 'kept';
  await updateMember(tx.sql, review.id, member.id, { outcome, answered_at: tx.now });
}

async function remove(
  tx: Tx,
  actor: EventReference,
  review: ReviewRow,
  member: MemberRow,
  until?: 'made before',
): Promise<void> {
  const rows = await rowsOf(tx, review, member, until);
  const admins = await countAdmins(tx.sql, tx.now);
  await leaveGroup(tx, { actor }, rows);
  await refuseLockout(tx, admins);
  const outcome = rows.length === 0 ? 'left' : 'removed';
  await updateMember(tx.sql, review.id, member.id, { outcome, answered_at: tx.now });
  if (rows.length === 0) return;
  const body = { group: review.group_name };
  await sendLater(tx, [{ to: member.id, kind: 'membership_removed', request_id: null, body }]);
}
