import { toRfc3339 } from '@postern/shared';
import {
  findGroup,
  joinGroup,
  leaveGroup,
  refuseMemberByRequest,
  requestedMemberships,
} from '../directory/index.ts';
import { sendLater } from '../notifications/index.ts';
import { SYSTEM } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { endOf, type GroupTarget } from './membership.ts';
import { changeState } from './service-state.ts';
import { toRequester } from './service-tell.ts';
import { decisionsOf, type RequestRow } from './store.ts';

/**
 * Puts the requester into the groups of a request that is approved now, in the transaction
 * of the decision, or says that it failed. His revision is bumped already.
 */
export async function grantMemberships(
  tx: Tx,
  approved: RequestRow,
  { memberships }: GroupTarget,
): Promise<RequestRow> {
  const why = await whyNot(tx, approved, memberships);
  if (why !== undefined) return failed(tx, approved, why);
  const { requester } = approved.card as { requester: { id: string; name: string } };
  const made_by = await makersOfGrant(tx, approved);
  for (const asked of memberships) {
    const expires_at = endOf(asked, tx.now);
    // By its name of today: whoever pushes it may have renamed it.
    const group = (await findGroup(tx.sql, asked.group.id)) ?? asked.group;
    const membership = { group, user: requester, source: 'request' as const };
    await joinGroup(
      tx,
      { actor: SYSTEM, made_by },
      { ...membership, request_id: approved.id, expires_at },
    );
    await tx.enqueue({
      name: 'request.end',
      payload: { request_id: approved.id },
      start_at: expires_at,
    });
  }
  const until = toRfc3339(approved.ends_at!);
  await sendLater(tx, [toRequester(approved, 'request_approved', null, { until })]);
  return changeState(tx, approved, {
    event: 'activate',
    audit: 'access.request.activate',
    actor: SYSTEM,
    details: {
      timers: memberships.map((asked) => ({
        group_id: asked.group.id,
        expires_at: toRfc3339(endOf(asked, tx.now)),
      })),
    },
  });
}

/** A group may have gone, or become privileged, since it was asked for. */
async function whyNot(
  tx: Tx,
  { id }: RequestRow,
  memberships: GroupTarget['memberships'],
): Promise<string | undefined> {
  for (const { group } of memberships) {
    try {
      await refuseMemberByRequest(tx, group, id);
    } catch (error) {
      if (error instanceof Refusal) return error.detail;
      throw error;
    }
    // Its row is held by now: whoever deletes it waits, or has done so.
    if ((await findGroup(tx.sql, group.id)) === undefined) return `the group ${group.name} is gone`;
  }
  return undefined;
}

async function failed(tx: Tx, row: RequestRow, why: string): Promise<RequestRow> {
  await sendLater(tx, [toRequester(row, 'request_failed', null, { why })]);
  return changeState(tx, row, {
    event: 'fail',
    audit: 'access.request.fail',
    actor: SYSTEM,
    fields: { end_reason: why },
    details: { why },
  });
}

/** Who asked, and everybody whose vote counted: none of them made himself an approver by it. */
async function makersOfGrant(tx: Tx, row: RequestRow): Promise<string[]> {
  const votes = (await decisionsOf(tx.sql, row.id)).filter((d) => d.voided_at === null);
  const asked = [row.requester_id, row.requester_token_issued_by];
  const all = [...asked, ...votes.flatMap((d) => d.persons)];
  return [...new Set(all)].filter((id) => id !== null);
}

/** Takes away what a request gave, whatever is left of it. The requester's revision is bumped already. */
export async function takeMemberships(
  tx: Tx,
  row: RequestRow,
  actor: EventReference,
): Promise<void> {
  await leaveGroup(tx, { actor }, await requestedMemberships(tx.sql, row.id));
}

/** Takes away what is over. @returns whether nothing is left */
export async function takeOverdueMemberships(tx: Tx, row: RequestRow): Promise<boolean> {
  const rows = await requestedMemberships(tx.sql, row.id);
  const over = rows.filter(({ expires_at }) => expires_at !== null && expires_at <= tx.now);
  await leaveGroup(tx, { actor: SYSTEM }, over);
  return over.length === rows.length;
}
