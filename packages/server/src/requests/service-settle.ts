import { type Instant, instant, plus, seconds } from '@postern/shared';
import { sendLater } from '../notifications/index.ts';
import type { EventReference } from '../platform/audit.ts';
import { json } from '../platform/columns.ts';
import type { Tx } from '../platform/tx.ts';
import { longestPeriod, type ServerTarget } from './card.ts';
import type { Settled } from './decide.ts';
import { endOf } from './membership.ts';
import { cardOf } from './service-facts.ts';
import { grantMemberships } from './service-grant.ts';
import type { Loaded } from './service-load.ts';
import { changeState } from './service-state.ts';
import { awaitStep, timesOf } from './service-step.ts';
import { approversOfNext, toRequester } from './service-tell.ts';
import { insertApproval, type RequestRow, updateRequest, voidDecisions } from './store.ts';

type Outcome = Omit<Settled, 'result'> & { readonly result: Settled['result'] | 'denied' };

/** Stores where the votes leave a locked request. */
export async function carryOut(
  tx: Tx,
  actor: EventReference,
  row: RequestRow,
  loaded: Pick<Loaded, 'definition'>,
  outcome: Outcome,
): Promise<RequestRow> {
  await voidDecisions(
    tx.sql,
    outcome.void.map((v) => v.vote_id),
    tx.now,
  );
  switch (outcome.result) {
    case 'denied':
      return deny(tx, row, actor);
    case 'approved':
      return approve(tx, actor, row);
    case 'step_met':
      return nextStep(tx, row, loaded, outcome.step);
    case 'pending': {
      const updated = await updateRequest(tx.sql, row.id, { seq: row.seq + 1 });
      await tx.signal({ kind: 'request', id: row.id });
      return updated;
    }
  }
}

export async function deny(tx: Tx, row: RequestRow, actor: EventReference): Promise<RequestRow> {
  await sendLater(tx, [toRequester(row, 'request_denied', actor.name)]);
  return changeState(tx, row, {
    event: 'deny',
    audit: 'access.request.resolve',
    actor,
    fields: { resolved_at: tx.now, step_expires_at: null },
  });
}

async function approve(tx: Tx, actor: EventReference, row: RequestRow): Promise<RequestRow> {
  const { target } = cardOf(row);
  if (target.type === 'server_access') return approveAccess(tx, actor, row, target);
  const endsAt = instant(Math.max(...target.memberships.map((asked) => endOf(asked, tx.now))));
  const approved = await markApproved(tx, actor, row, endsAt);
  return grantMemberships(tx, approved, target);
}

/** The only place that stores an approval: bound to ids, and to what the approvers were shown. */
async function approveAccess(
  tx: Tx,
  actor: EventReference,
  row: RequestRow,
  target: ServerTarget,
): Promise<RequestRow> {
  const endsAt = plus(tx.now, seconds(longestPeriod(target)));
  await insertApproval(tx.sql, {
    id: tx.ids.uuid(),
    request_id: row.id,
    user_id: row.requester_id,
    server_id: target.server.id,
    server_identity_revision: target.server.identity_revision,
    identity: target.identity,
    credential_type: target.access_credential.type,
    account_id: row.account_id,
    privilege: target.privilege,
    admin_level: row.admin_level ?? false,
    channels: json(target.channels),
    request_type_id: row.request_type_id,
    request_type_version: row.request_type_version,
    periods: json(target.periods),
    card_digest: row.card_digest,
    binding: row.binding,
    approved_at: tx.now,
  });
  await tx.enqueue({ name: 'request.end', payload: { request_id: row.id }, start_at: endsAt });
  // A session that an earlier approval opened may go on by this one.
  await tx.signal({ kind: 'user', id: row.requester_id });
  await sendLater(tx, [toRequester(row, 'request_approved')]);
  return markApproved(tx, actor, row, endsAt);
}

async function markApproved(
  tx: Tx,
  actor: EventReference,
  row: RequestRow,
  endsAt: Instant,
): Promise<RequestRow> {
  return changeState(tx, row, {
    event: 'approve',
    audit: 'access.request.resolve',
    actor,
    fields: { resolved_at: tx.now, ends_at: endsAt, step_expires_at: null },
    details: { ends_at: new Date(endsAt).toISOString() },
  });
}

async function nextStep(
  tx: Tx,
  row: RequestRow,
  { definition }: Pick<Loaded, 'definition'>,
  step: number,
): Promise<RequestRow> {
  const times = timesOf(definition.steps[step]!, cardOf(row).target, tx.now);
  const updated = await updateRequest(tx.sql, row.id, {
    seq: row.seq + 1,
    current_step: step,
    ...times,
  });
  await awaitStep(tx, row.id, times);
  await sendLater(tx, await approversOfNext(tx, updated));
  await tx.signal({ kind: 'request', id: row.id });
  return updated;
}
