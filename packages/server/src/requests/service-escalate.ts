import { type AccessRequest, type Relation, toRfc3339 } from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { SUCCESS, SYSTEM, userRef } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { settle } from './decide.ts';
import { mayEscalateFrom } from './escalation.ts';
import { cardOf } from './service-facts.ts';
import { type Loaded, loadCircumstances, lockAndLoad } from './service-load.ts';
import { carryOut } from './service-settle.ts';
import { targetsOf } from './service-state.ts';
import { awaitStep, timesOf } from './service-step.ts';
import { approversOfNext } from './service-tell.ts';
import { describeRequest, findVisible } from './service-view.ts';
import { insertComment, type RequestRow, updateRequest } from './store.ts';

/**
 * The requester asks more people, as the step's `escalate_to` names them, once he has
 * waited for its `escalate_after`. His reason stands among the comments.
 *
 * @throws Refusal `state_conflict`, naming from when on, or why never
 */
export async function escalateRequest(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
  reason: string,
): Promise<AccessRequest> {
  if (reason.trim() === '')
    refuseFaults([{ pointer: '/reason', code: 'out_of_range', detail: 'must not be empty' }]);
  const seen = await findVisible(tx, caller, relations, id);
  const loaded = await lockAndLoad(tx, seen, [caller.user_id]);
  refuseEscalation(tx, loaded);
  await insertComment(tx.sql, {
    id: tx.ids.uuid(),
    request_id: id,
    by_user_id: caller.user_id,
    text: reason,
    created_at: tx.now,
  });
  return describeRequest(tx, await escalateStep(tx, loaded.row, userRef(caller), reason));
}

function refuseEscalation(tx: Tx, { row, circumstances }: Loaded): void {
  const next = `See it: sft request show ${row.id}`;
  if (row.state !== 'pending')
    throw new Refusal('request_already_resolved', `The request is ${row.state}.`, { next });
  const from = mayEscalateFrom(circumstances.request, row.step_since);
  if (from === undefined) {
    const already = row.escalated.includes(row.current_step);
    const detail = already
      ? 'This step has been escalated already.'
      : 'This step has nobody to escalate to.';
    throw new Refusal('state_conflict', detail, { next });
  }
  if (tx.now < from)
    throw new Refusal('state_conflict', `You may escalate this step from ${toRfc3339(from)} on.`, {
      next: `Then: sft request escalate ${row.id} --reason TEXT`,
    });
  if (row.step_expires_at !== null && tx.now >= row.step_expires_at)
    throw new Refusal('state_conflict', 'The time of this step is over; it escalates by itself.', {
      next,
    });
}

/**
 * Adds the approvers of the escalation to a locked request; removes none, and gives the
 * step its time once more. Votes that were given before may then be enough.
 */
export async function escalateStep(
  tx: Tx,
  row: RequestRow,
  actor: EventReference,
  reason: string | null,
): Promise<RequestRow> {
  const before = await loadCircumstances(tx, row);
  const step = before.definition.steps[row.current_step]!;
  const times = timesOf(step, cardOf(row).target, tx.now);
  const updated = await updateRequest(tx.sql, row.id, {
    seq: row.seq + 1,
    escalated: json([...row.escalated, row.current_step]),
    ...times,
  });
  await awaitStep(tx, row.id, times);
  await tx.audit({
    type: 'access.request.escalate',
    actor,
    targets: targetsOf(row),
    outcome: SUCCESS,
    request_id: row.id,
    details: { step: row.current_step, reason },
  });
  const loaded = await loadCircumstances(tx, updated);
  const settled = settle(loaded.circumstances);
  // The votes decide, not whoever asked more people to vote: he may be the requester.
  if (settled.result !== 'pending') return carryOut(tx, SYSTEM, updated, loaded, settled);
  await sendLater(tx, await approversOfNext(tx, updated, 'request_escalated'));
  await tx.signal({ kind: 'request', id: row.id });
  return updated;
}
