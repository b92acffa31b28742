import type { AccessRequest, EventType, Relation } from '@postern/shared';
import { plus, seconds } from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { type MessageKind, sendLater } from '../notifications/index.ts';
import { SYSTEM, userRef } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { type CutReason, cutSessions } from '../sessions/index.ts';
import { settle } from './decide.ts';
import { dueAt } from './escalation.ts';
import type { Event } from './machine.ts';
import type { RequestFacts } from './model.ts';
import { cardOf } from './service-facts.ts';
import { loadCircumstances, lockAndLoad, noSuchRequest } from './service-load.ts';
import { carryOut, deny } from './service-settle.ts';
import { changeState } from './service-state.ts';
import { approversOfNext } from './service-tell.ts';
import { describeRequest, findVisible } from './service-view.ts';
import {
  endApproval,
  findRequest,
  lockRequest,
  openRequestsOf,
  type RequestRow,
  updateRequest,
} from './store.ts';

/** The request's row, locked after the people and the server it is about. */
async function locked(tx: Tx, row: RequestRow): Promise<RequestRow> {
  await lockShared(
    tx.sql,
    [row.requester_id, row.server_id].filter((id) => id !== null),
  );
  const again = await lockRequest(tx.sql, row.id);
  if (again === undefined) throw noSuchRequest();
  return again;
}

export async function cancelRequest(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<AccessRequest> {
  const { row } = await findVisible(tx, caller, relations, id);
  const now = await locked(tx, row);
  const updated = await changeState(tx, now, {
    event: 'cancel',
    audit: 'access.request.cancel',
    actor: userRef(caller),
    fields: { resolved_at: tx.now, step_expires_at: null, end_reason: 'canceled' },
  });
  return describeRequest(tx, updated);
}

/** By those who decided it, those whom it would ask today, or security_admin. */
export async function revokeRequest(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
  reason: string | undefined,
): Promise<AccessRequest> {
  const { row } = await findVisible(tx, caller, relations, id);
  const updated = await endGranted(tx, await locked(tx, row), {
    event: 'revoke',
    audit: 'access.request.revoke',
    actor: userRef(caller),
    reason: 'revoked',
    message: 'access_revoked',
    ...(reason === undefined ? {} : { comment: reason }),
  });
  return describeRequest(tx, updated);
}

export async function dropRequest(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<AccessRequest> {
  const { row } = await findVisible(tx, caller, relations, id);
  const updated = await endGranted(tx, await locked(tx, row), {
    event: 'end',
    audit: 'access.request.drop',
    actor: userRef(caller),
    reason: 'dropped',
  });
  return describeRequest(tx, updated);
}

interface Ending {
  readonly event: Extract<Event, 'revoke' | 'end'>;
  readonly audit: EventType;
  readonly actor: EventReference;
  readonly reason: CutReason;
  readonly message?: MessageKind;
  readonly comment?: string;
}

/** Ends what was granted: the request, its approval, and its sessions, under one lock. */
async function endGranted(tx: Tx, row: RequestRow, ending: Ending): Promise<RequestRow> {
  if (row.state !== 'approved' && row.state !== 'active')
    throw new Refusal('state_conflict', `The request is ${row.state}; there is nothing to end.`, {
      next: `See it: sft request show ${row.id}`,
    });
  await endApproval(
    tx.sql,
    row.id,
    ending.event === 'revoke' ? { revoked_at: tx.now } : { ended_at: tx.now },
  );
  // At the end of its time a session is cut by its own deadline, or lives on by an extension.
  if (ending.reason !== 'expired') await cutSessions(tx, { request_id: row.id }, ending.reason);
  if (ending.message !== undefined)
    await sendLater(tx, [
      {
        to: row.requester_id,
        kind: ending.message,
        request_id: row.id,
        body: { server: cardOf(row).target.server.name, by: ending.actor.name },
      },
    ]);
  return changeState(tx, row, {
    event: ending.event,
    audit: ending.audit,
    actor: ending.actor,
    fields: { end_reason: ending.reason },
    ...(ending.comment === undefined ? {} : { details: { comment: ending.comment } }),
  });
}

/** What the clock brings: a step's time-out, or the end of the longest period. Idempotent. */
export async function finishDue(tx: Tx, id: string): Promise<void> {
  const seen = await findRequest(tx.sql, id);
  if (seen === undefined) return;
  const { row, circumstances } = await lockAndLoad(tx, await loadCircumstances(tx, seen), []);
  if ((row.state === 'approved' || row.state === 'active') && row.ends_at !== null) {
    if (row.ends_at > tx.now) return;
    await endGranted(tx, row, {
      event: 'end',
      audit: 'access.request.end',
      actor: SYSTEM,
      reason: 'expired',
      message: 'access_ended',
    });
  } else if (row.state === 'pending') await finishStep(tx, row, circumstances.request);
}

async function finishStep(tx: Tx, row: RequestRow, request: RequestFacts): Promise<void> {
  switch (dueAt(request, row.step_since, tx.now)) {
    case 'nothing':
      return;
    case 'deny':
      await deny(tx, row, SYSTEM);
      return;
    case 'expire':
      await expire(tx, row, 'expired');
      return;
    case 'escalate':
      await escalate(tx, row, request.steps[row.current_step]?.timeout ?? 0);
  }
}

async function expire(tx: Tx, row: RequestRow, reason: string): Promise<void> {
  await sendLater(tx, [
    {
      to: row.requester_id,
      kind: 'request_expired',
      request_id: row.id,
      body: { server: cardOf(row).target.server.name },
    },
  ]);
  await changeState(tx, row, {
    event: 'expire',
    audit: 'access.request.expire',
    actor: SYSTEM,
    fields: { resolved_at: tx.now, step_expires_at: null, end_reason: reason },
  });
}

/**
 * Adds the approvers of the escalation; removes none, and gives the step its time once more.
 * Votes that were given before may then be enough.
 */
async function escalate(tx: Tx, row: RequestRow, timeout: number): Promise<RequestRow> {
  const expiresAt = plus(tx.now, seconds(timeout));
  const updated = await updateRequest(tx.sql, row.id, {
    seq: row.seq + 1,
    escalated: json([...row.escalated, row.current_step]),
    step_since: tx.now,
    step_expires_at: expiresAt,
  });
  await tx.enqueue({
    name: 'request.timeout',
    payload: { request_id: row.id },
    start_at: expiresAt,
  });
  const loaded = await loadCircumstances(tx, updated);
  const settled = settle(loaded.circumstances);
  if (settled.result !== 'pending') return carryOut(tx, SYSTEM, updated, loaded, settled);
  await sendLater(tx, await approversOfNext(tx, updated));
  await tx.signal({ kind: 'request', id: row.id });
  return updated;
}

/**
 * Somebody was disabled, a server moved, an account was removed: what was asked for or
 * granted on it ends. The caller has bumped the revision rows and holds them.
 */
export async function endRequestsOf(
  tx: Tx,
  where: { requester_id?: string; server_id?: string; account_id?: string },
  reason: CutReason,
): Promise<void> {
  for (const { id } of await openRequestsOf(tx.sql, where)) {
    const row = await lockRequest(tx.sql, id);
    if (row?.state === 'pending')
      await changeState(tx, row, {
        event: 'cancel',
        audit: 'access.request.cancel',
        actor: SYSTEM,
        fields: { resolved_at: tx.now, step_expires_at: null, end_reason: reason },
      });
    else if (row?.state === 'approved' || row?.state === 'active')
      await endGranted(tx, row, {
        event: 'end',
        audit: 'access.request.end',
        actor: SYSTEM,
        reason,
        message: 'access_ended',
      });
  }
}
