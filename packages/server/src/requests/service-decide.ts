import type { AccessRequest, Body, Relation } from '@postern/shared';
import { plus, seconds } from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { lockDeciding } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { longestPeriod } from './card.ts';
import { decide, type Settled } from './decide.ts';
import { REASONS } from './reasons.ts';
import { cardOf } from './service-facts.ts';
import { type Loaded, loadCircumstances, noSuchRequest } from './service-load.ts';
import { changeState, targetsOf } from './service-state.ts';
import { approversOfNext } from './service-tell.ts';
import { describeRequest, findVisible } from './service-view.ts';
import {
  insertApproval,
  insertDecision,
  lockRequest,
  type RequestRow,
  updateRequest,
  voidDecisions,
} from './store.ts';

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
  await lockDeciding(tx.sql, involvedIn(seen, caller, forUser));
  const row = await lockRequest(tx.sql, id);
  if (row === undefined) throw noSuchRequest();
  const loaded = await loadCircumstances(tx, row, [
    caller.user_id,
    caller.token_issued_by,
    forUser,
  ]);
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
  return describeRequest(tx, await carryOut(tx, caller, row, loaded, outcome));
}

/** Requester, actor, whom he stands for, everybody who voted or stands behind a vote, the server. */
function involvedIn({ row, decisions }: Loaded, caller: Caller, forUser: string | null): string[] {
  const ids = [
    row.requester_id,
    row.requester_token_issued_by,
    row.server_id,
    caller.user_id,
    caller.token_issued_by,
    forUser,
    ...decisions.flatMap((d) => [d.by_user_id, d.for_user_id, d.token_issued_by, ...d.persons]),
  ];
  return ids.filter((id) => id !== null);
}

type Outcome = Omit<Settled, 'result'> & { readonly result: Settled['result'] | 'denied' };

async function carryOut(
  tx: Tx,
  caller: Caller,
  row: RequestRow,
  loaded: Loaded,
  outcome: Outcome,
): Promise<RequestRow> {
  await voidDecisions(
    tx.sql,
    outcome.void.map((v) => v.vote_id),
    tx.now,
  );
  switch (outcome.result) {
    case 'denied':
      return deny(tx, row, userRef(caller));
    case 'approved':
      return approve(tx, caller, row);
    case 'step_met':
      return nextStep(tx, row, loaded, outcome.step);
    case 'pending': {
      const updated = await updateRequest(tx.sql, row.id, { seq: row.seq + 1 });
      await tx.signal({ kind: 'request', id: row.id });
      return updated;
    }
  }
}

export async function deny(
  tx: Tx,
  row: RequestRow,
  actor: ReturnType<typeof userRef>,
): Promise<RequestRow> {
  await sendLater(tx, [
    {
      to: row.requester_id,
      kind: 'request_denied',
      request_id: row.id,
      body: { server: cardOf(row).target.server.name, by: actor.name },
    },
  ]);
  return changeState(tx, row, {
    event: 'deny',
    audit: 'access.request.resolve',
    actor,
    fields: { resolved_at: tx.now, step_expires_at: null },
  });
}

/** The only place that stores an approval: bound to ids, and to what the approvers were shown. */
async function approve(tx: Tx, caller: Caller, row: RequestRow): Promise<RequestRow> {
  const card = cardOf(row);
  const endsAt = plus(tx.now, seconds(longestPeriod(card)));
  await insertApproval(tx.sql, {
    id: tx.ids.uuid(),
    request_id: row.id,
    user_id: row.requester_id,
    server_id: card.target.server.id,
    server_identity_revision: card.target.server.identity_revision,
    identity: card.target.identity,
    credential_type: card.target.access_credential.type,
    account_id: row.account_id,
    privilege: card.target.privilege,
    admin_level: row.admin_level ?? false,
    channels: json(card.target.channels),
    request_type_id: row.request_type_id,
    request_type_version: row.request_type_version,
    periods: json(card.target.periods),
    card_digest: row.card_digest,
    approved_at: tx.now,
  });
  await sendLater(tx, [
    {
      to: row.requester_id,
      kind: 'request_approved',
      request_id: row.id,
      body: { server: card.target.server.name },
    },
  ]);
  await tx.enqueue({ name: 'request.end', payload: { request_id: row.id }, start_at: endsAt });
  return changeState(tx, row, {
    event: 'approve',
    audit: 'access.request.resolve',
    actor: userRef(caller),
    fields: { resolved_at: tx.now, ends_at: endsAt, step_expires_at: null },
    details: { ends_at: new Date(endsAt).toISOString() },
  });
}

async function nextStep(
  tx: Tx,
  row: RequestRow,
  { definition }: Loaded,
  step: number,
): Promise<RequestRow> {
  const expiresAt = plus(tx.now, definition.steps[step]?.timeout ?? seconds(0));
  const updated = await updateRequest(tx.sql, row.id, {
    seq: row.seq + 1,
    current_step: step,
    step_since: tx.now,
    step_expires_at: expiresAt,
  });
  await tx.enqueue({
    name: 'request.timeout',
    payload: { request_id: row.id },
    start_at: expiresAt,
  });
  await sendLater(tx, await approversOfNext(tx, updated));
  await tx.signal({ kind: 'request', id: row.id });
  return updated;
}
