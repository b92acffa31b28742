import type { AccessRequest, Body, Instant, Relation } from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { decide } from './decide.ts';
import { REASONS } from './reasons.ts';
import { lockAndLoad } from './service-load.ts';
import { carryOut } from './service-settle.ts';
import { targetsOf } from './service-state.ts';
import { describeRequest, findVisible } from './service-view.ts';
import { insertDecision, type RequestRow } from './store.ts';

/**
 * One decision on the current step. Everybody involved is locked first, then the request,
 * then everything is read: exactly one decision wins, whatever races.
 */
export async function decideRequest(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
  input: Body<'decideAccessRequest'>,
  etag: string | undefined,
): Promise<AccessRequest> {
  // The requester may see it, and is told why he cannot decide.
  const seen = await findVisible(tx, caller, new Set([...relations, 'self']), id);
  const forUser = input.for_user_id ?? null;
  const acting = [caller.user_id, caller.token_issued_by, forUser];
  const loaded = await lockAndLoad(tx, seen, acting);
  const { row } = loaded;
  const outcome = decide({
    ...loaded.circumstances,
    step: input.step,
    actor: caller.user_id,
    for_user: forUser,
    token_issued_by: caller.token_issued_by,
    decision: input.decision,
    vote_id: tx.ids.uuid(),
  });
  if (!outcome.ok)
    throw new Refusal(outcome.code, REASONS[outcome.reason].detail, {
      next: `See it: sft-admin requests show ${id}`,
    });
  if (etag !== String(row.seq))
    throw new Refusal('precondition_failed', 'The request has changed since you read it.', {
      next: 'Read it again and decide on what is there now.',
    });
  if (input.decision === 'approve') refuseOverdue(row, tx.now);
  const { vote } = outcome;
  await insertDecision(tx.sql, {
    id: vote.id,
    request_id: id,
    step: vote.step,
    decision: vote.decision,
    by_user_id: vote.by,
    for_user_id: vote.for,
    persons: json(vote.persons),
    token_id: caller.token_id,
    token_issued_by: vote.token_issued_by,
    comment: input.comment ?? null,
    card_digest: row.card_digest,
    decided_at: tx.now,
  });
  await tx.audit({
    type: 'access.request.decide',
    actor: userRef(caller),
    targets: targetsOf(row),
    outcome: SUCCESS,
    request_id: id,
    details: {
      decision: vote.decision,
      step: vote.step,
      for_user_id: vote.for,
      persons: vote.persons,
      comment: input.comment ?? null,
      card_digest: row.card_digest,
    },
  });
  return describeRequest(tx, await carryOut(tx, userRef(caller), row, loaded, outcome));
}

/** The time of a step ends by the clock, not by the timer that then comes to write it down. */
function refuseOverdue({ step_expires_at }: RequestRow, now: Instant): void {
  if (step_expires_at === null || now < step_expires_at) return;
  throw new Refusal('state_conflict', 'The time of this step is over.', {
    next: 'Read it again in a minute: it expires, is denied, or asks more people.',
  });
}
