import type { EventType } from '@postern/shared';
import { refTo } from '../identity/index.ts';
import { SUCCESS } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { type Event, transition } from './machine.ts';
import type { RequestState } from './model.ts';
import { cardOf } from './service-facts.ts';
import { type RequestRow, type RequestUpdate, recordTransition, updateRequest } from './store.ts';

/** What an event of a request names: the request, and its server and account, or its groups. */
export const targetsOf = (row: RequestRow): EventReference[] => {
  const { target, request_type } = cardOf(row);
  const request = { type: 'access_request', id: row.id, name: request_type.name };
  if (target.type === 'group_membership')
    return [request, ...target.memberships.map(({ group }) => refTo('group', group))];
  return [
    request,
    { type: 'server', id: target.server.id, name: target.server.name },
    { type: 'account', id: row.account_id, name: target.identity },
  ];
};

interface Change {
  readonly event: Event;
  readonly audit: EventType;
  readonly actor: EventReference;
  readonly fields?: RequestUpdate;
  readonly details?: Readonly<Record<string, unknown>>;
}

/**
 * Moves a locked request to another state: the legal pair, the history's row, the event
 * and the signal, all in this transaction.
 *
 * @throws Refusal `request_already_resolved` or `state_conflict`
 */
export async function changeState(tx: Tx, row: RequestRow, change: Change): Promise<RequestRow> {
  const next = transition(row.state as RequestState, change.event, row.purpose);
  if (!next.ok)
    throw new Refusal(next.code, `The request is ${row.state}.`, {
      next: `See it: sft request show ${row.id}`,
    });
  const seq = await recordTransition(tx.sql, row, {
    from: row.state,
    to: next.to,
    at: tx.now,
    actor_id: change.actor.id,
  });
  const updated = await updateRequest(tx.sql, row.id, { ...change.fields, state: next.to, seq });
  await tx.audit({
    type: change.audit,
    actor: change.actor,
    targets: targetsOf(row),
    outcome: SUCCESS,
    request_id: row.id,
    details: { state: next.to, ...change.details },
  });
  await tx.signal({ kind: 'request', id: row.id });
  return updated;
}
