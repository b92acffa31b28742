import type { AccessRequest, EventType, Relation } from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { type MessageKind, sendLater } from '../notifications/index.ts';
import { SYSTEM, userRef } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions, lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { type CutReason, cutSessions } from '../sessions/index.ts';
import { dueAt } from './escalation.ts';
import type { Event } from './machine.ts';
import type { RequestFacts } from './model.ts';
import { escalateStep } from './service-escalate.ts';
import { cardOf } from './service-facts.ts';
import { takeMemberships, takeOverdueMemberships } from './service-grant.ts';
import { loadCircumstances, lockAndLoad, noSuchRequest } from './service-load.ts';
import { deny } from './service-settle.ts';
import { changeState } from './service-state.ts';
import { lastChance } from './service-step.ts';
import { approversOfNext, toRequester } from './service-tell.ts';
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
  // Who leaves a group changes: see lockAndLoad.
  if (row.purpose === 'group_membership') await bumpRevisions(tx.sql, [row.requester_id]);
  else
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
  /** `removed`: somebody took the membership away. */
  readonly reason: CutReason | 'removed';
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
  await takeMemberships(tx, row, ending.actor);
  // At the end of its time a session is cut by its own deadline, or lives on by an extension.
  if (ending.reason !== 'expired' && ending.reason !== 'removed')
    await cutSessions(tx, { request_id: row.id }, ending.reason);
  if (ending.message !== undefined)
    await sendLater(tx, [toRequester(row, ending.message, ending.actor.name)]);
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
  if (row.state === 'pending') await finishPending(tx, row, circumstances.request);
  else if (row.state === 'active') await finishMembership(tx, row);
  else if (row.state === 'approved' && row.ends_at !== null && row.ends_at <= tx.now)
    await endGranted(tx, row, ENDED);
}

const ENDED: Ending = {
  event: 'end',
  audit: 'access.request.end',
  actor: SYSTEM,
  reason: 'expired',
  message: 'access_ended',
};

/** Takes away what is over, and ends the request when nothing is left: also when somebody took it away. */
async function finishMembership(tx: Tx, row: RequestRow): Promise<void> {
  if (!(await takeOverdueMemberships(tx, row))) return;
  const isOver = row.ends_at !== null && row.ends_at <= tx.now;
  await endGranted(tx, row, { ...ENDED, reason: isOver ? 'expired' : 'removed' });
}

/** Nobody is put into a group for a time that is over, whatever its step would still wait for. */
async function finishPending(tx: Tx, row: RequestRow, request: RequestFacts): Promise<void> {
  const last = lastChance(cardOf(row).target);
  if (last !== null && last <= tx.now) await expire(tx, row, 'expired');
  else await finishStep(tx, row, request);
}

async function finishStep(tx: Tx, row: RequestRow, request: RequestFacts): Promise<void> {
  switch (dueAt(request, row.step_since, tx.now)) {
    case 'nothing':
      await remind(tx, row);
      return;
    case 'deny':
      await deny(tx, row, SYSTEM);
      return;
    case 'expire':
      await expire(tx, row, 'expired');
      return;
    case 'escalate':
      await escalateStep(tx, row, SYSTEM, null);
  }
}

/** Once a step: those whom it asks and who have not voted, nobody else. Nothing is decided by it. */
async function remind(tx: Tx, row: RequestRow): Promise<void> {
  if (row.remind_at === null || row.remind_at > tx.now) return;
  await updateRequest(tx.sql, row.id, { remind_at: null });
  await sendLater(tx, await approversOfNext(tx, row, 'approval_reminder'));
}

async function expire(tx: Tx, row: RequestRow, reason: string): Promise<void> {
  await sendLater(tx, [toRequester(row, 'request_expired')]);
  await changeState(tx, row, {
    event: 'expire',
    audit: 'access.request.expire',
    actor: SYSTEM,
    fields: { resolved_at: tx.now, step_expires_at: null, end_reason: reason },
  });
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
    if (row?.state === 'pending') {
      await changeState(tx, row, {
        event: 'cancel',
        audit: 'access.request.cancel',
        actor: SYSTEM,
        fields: { resolved_at: tx.now, step_expires_at: null, end_reason: reason },
      });
      await sendLater(tx, [toRequester(row, 'request_canceled')]);
    } else if (row?.state === 'approved' || row?.state === 'active')
      await endGranted(tx, row, {
        event: 'end',
        audit: 'access.request.end',
        actor: SYSTEM,
        reason,
        message: 'access_ended',
      });
  }
}
