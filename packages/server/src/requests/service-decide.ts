import type { AccessRequest, Body, Instant, Relation } from '@postern/shared';
import type { Actor } from '../identity/index.ts';
import { refuseUnproven } from '../mfa/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { decide } from './decide.ts';
import { mayDecide } from './may-decide.ts';
import type { Definition } from './model.ts';
import { REASONS } from './reasons.ts';
import { type Loaded, lockAndLoad } from './service-load.ts';
import { runningVersion } from './service-running.ts';
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
  caller: Actor,
  relations: ReadonlySet<Relation>,
  id: string,
  input: Body<'decideAccessRequest'>,
  etag: string | undefined,
): Promise<AccessRequest> {
  refuseJobs(caller);
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
      next: standInHint(loaded, caller, input) ?? `See it: sft-admin requests show ${id}`,
    });
  if (etag !== String(row.seq))
    throw new Refusal('precondition_failed', 'The request has changed since you read it.', {
      next: 'Read it again and decide on what is there now.',
    });
  if (input.decision === 'approve') refuseOverdue(row, tx.now);
  await refuseUnproven(tx, caller, await approverMfaOf(tx, loaded));
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

/** What the version that the request runs on says, and the published one: the stricter counts. */
async function approverMfaOf(tx: Tx, { row, definition }: Loaded) {
  const running = await runningVersion(tx, row.request_type_id);
  // A version from before there was such a field says nothing of it.
  return [definition, ...(running === undefined ? [] : [running])].map(
    ({ approver_mfa }: { readonly approver_mfa?: Definition['approver_mfa'] }) =>
      approver_mfa ?? null,
  );
}

/** Who started a job could be anybody: whatever it decides would be his vote, uncounted. */
function refuseJobs({ binding }: Actor): void {
  if (binding === null) return;
  throw new Refusal('not_permitted', 'A job decides no access request.', {
    next: 'Let a person decide, or a service user with a key.',
  });
}

/** Who may not decide for himself, but in the place of somebody, is told for whom. */
function standInHint(
  { circumstances, row }: Loaded,
  caller: Actor,
  { step, decision, for_user_id }: Body<'decideAccessRequest'>,
): string | undefined {
  if (for_user_id != null) return undefined;
  const { user_id: actor, token_issued_by } = caller;
  const names = circumstances.delegations
    .filter((d) => d.to === actor)
    .filter(
      (d) =>
        mayDecide({ ...circumstances, step, actor, for_user: d.from, token_issued_by, decision })
          .ok,
    )
    .map((d) => circumstances.roster.accounts.get(d.from)?.name ?? d.from);
  if (names.length === 0) return undefined;
  return `You stand in for ${names.join(', ')}: sft-admin ${decision} ${row.id} --for LOGIN`;
}

/** The time of a step ends by the clock, not by the timer that then comes to write it down. */
function refuseOverdue({ step_expires_at }: RequestRow, now: Instant): void {
  if (step_expires_at === null || now < step_expires_at) return;
  throw new Refusal('state_conflict', 'The time of this step is over.', {
    next: 'Read it again in a minute: it expires, is denied, or asks more people.',
  });
}
