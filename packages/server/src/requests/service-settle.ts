import { plus, seconds } from '@postern/shared';
import { sendLater } from '../notifications/index.ts';
import type { EventReference } from '../platform/audit.ts';
import { json } from '../platform/columns.ts';
import type { Tx } from '../platform/tx.ts';
import { longestPeriod } from './card.ts';
import type { Settled } from './decide.ts';
import { cardOf } from './service-facts.ts';
import type { Loaded } from './service-load.ts';
import { changeState } from './service-state.ts';
import { approversOfNext } from './service-tell.ts';
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
async function approve(tx: Tx, actor: EventReference, row: RequestRow): Promise<RequestRow> {
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
