import { type Push, plus, type Query, seconds, toRfc3339 } from '@postern/shared';
import { findTeam, liveMemberships, PUSH_PATIENCE } from '../directory/index.ts';
import { refTo } from '../identity/index.ts';
import { afterFailure } from '../notifications/index.ts';
import { failure, SUCCESS, SYSTEM } from '../platform/actor.ts';
import type { EventReference, NewEvent } from '../platform/audit.ts';
import { Refusal } from '../platform/errors.ts';
import { cutPage, pageOf } from '../platform/paging.ts';
import type { Tx } from '../platform/tx.ts';
import { type Keyring, open, type Secret } from '../vault/index.ts';
import type { Outcome, Told } from './model.ts';
import { sealedFor } from './seal.ts';
import {
  claimDue,
  findDestination,
  findPush,
  listPushes as listRows,
  lockPush,
  type PushRow,
  rememberIds,
  updatePush,
} from './store.ts';

/** Longer than all calls of one attempt together. */
const CLAIM = seconds(120);

/** What is being sent: nobody else sends of the same row meanwhile. */
export interface Claimed {
  readonly push: PushRow;
  readonly told: Told;
  readonly url: string;
  readonly token: Secret;
}

/**
 * The next one that is due, with what is true now: a user is in the group while any of his
 * memberships lives, whichever change it was that asked.
 *
 * @returns undefined: nothing is due; `'dead'`: it was, and cannot be told
 */
export async function claimPush(tx: Tx, keyring: Keyring): Promise<Claimed | 'dead' | undefined> {
  const until = plus(tx.now, CLAIM);
  const id = await claimDue(tx.sql, { now: tx.now, until, claim: tx.ids.uuid() });
  const push = id === undefined ? undefined : await findPush(tx.sql, id);
  if (push === undefined) return undefined;
  const destination = await findDestination(tx.sql, push);
  const team = await findTeam(tx.sql);
  if (destination === undefined || team === undefined)
    return await bury(tx, push, 'the target, or this group of it, was removed');
  const opened = open(keyring, sealedFor(team.id, destination), destination.sealed);
  if (!opened.ok) return await bury(tx, push, 'the token of the target does not open');
  const which = { user_id: push.user_id, group_id: push.group_id };
  const isMember = (await liveMemberships(tx.sql, tx.now, which)).length > 0;
  const { remote_group, remote_user, url } = destination;
  const told: Told = {
    operation: isMember ? 'add' : 'remove',
    group: push.group_name,
    login: push.login,
    remote_group,
    remote_user,
  };
  return { push, told, url, token: opened.secret };
}

/** A change that came while it was being sent leaves it waiting, to be sent once more. */
export async function finishPush(
  tx: Tx,
  { push, told }: Pick<Claimed, 'push' | 'told'>,
  outcome: Outcome,
): Promise<PushRow['state']> {
  const row = await lockPush(tx.sql, push.id);
  if (row === undefined || row.claim !== push.claim) return 'waiting';
  const hasChanged = row.change_count !== push.change_count;
  const free = { claim: null, claimed_until: null };
  if (outcome.result === 'failed') {
    if (outcome.forget) await rememberIds(tx.sql, row, { group: null, user: null });
    const next = hasChanged ? { next_at: tx.now } : afterFailure(row, outcome.permanent, tx.now);
    if (next === 'dead') return await bury(tx, row, outcome.error);
    await updatePush(tx.sql, row.id, { ...free, ...next, last_error: outcome.error });
    return 'waiting';
  }
  await rememberIds(tx.sql, row, { group: outcome.remote_group, user: outcome.remote_user });
  const done = { ...free, told: told.operation, pushed_at: tx.now, last_error: null };
  await updatePush(tx.sql, row.id, {
    ...done,
    ...(hasChanged ? { next_at: tx.now } : { state: 'done' }),
  });
  await record(tx, push, told.operation, SUCCESS);
  if (!hasChanged) return 'done';
  await tx.enqueue({ name: 'membership.push', payload: { push_id: row.id } });
  return 'waiting';
}

async function bury(tx: Tx, push: PushRow, why: string): Promise<'dead'> {
  await updatePush(tx.sql, push.id, {
    state: 'dead',
    claim: null,
    claimed_until: null,
    last_error: why,
  });
  const which = { user_id: push.user_id, group_id: push.group_id };
  const isMember = (await liveMemberships(tx.sql, tx.now, which)).length > 0;
  await record(tx, push, isMember ? 'add' : 'remove', failure(why));
  return 'dead';
}

const record = (
  tx: Tx,
  push: PushRow,
  operation: 'add' | 'remove',
  outcome: NewEvent['outcome'],
): Promise<void> =>
  tx.audit({
    type: `application.provision.group_membership.${operation}`,
    actor: SYSTEM,
    targets: [
      refTo('user', { id: push.user_id, name: push.user_name }),
      refTo('group', { id: push.group_id, name: push.group_name }),
      refTo('push_target', { id: push.target_id, name: push.target_name }),
    ],
    outcome,
    request_id: push.request_id,
    details: { attempts: push.attempts },
  });

const toPush = (row: PushRow): Push => ({
  id: row.id,
  state: row.state,
  target: { id: row.target_id, name: row.target_name },
  group: { id: row.group_id, name: row.group_name },
  user: { id: row.user_id, name: row.user_name },
  request_id: row.request_id,
  told: row.told,
  attempts: row.attempts,
  last_error: row.last_error,
  next_at: row.state === 'waiting' ? toRfc3339(row.next_at) : null,
  pushed_at: row.pushed_at === null ? null : toRfc3339(row.pushed_at),
});

export async function listPushes(
  tx: Tx,
  query: Query<'listPushes'>,
): Promise<{ readonly list: Push[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  const cut = cutPage(await listRows(tx.sql, { ...page, state: query.state }), page);
  return { ...cut, list: cut.list.map(toPush) };
}

/** Whatever became of it, the target is told again what is true. */
export async function retryPush(tx: Tx, actor: EventReference, id: string): Promise<Push> {
  const row = await lockPush(tx.sql, id);
  if (row === undefined)
    throw new Refusal('not_found', 'There is no such push.', {
      next: 'See what there is: sft-admin scim pushes',
    });
  await updatePush(tx.sql, id, {
    state: 'waiting',
    change_count: row.change_count + 1,
    attempts: 0,
    next_at: tx.now,
    give_up_at: plus(tx.now, PUSH_PATIENCE),
  });
  await tx.audit({
    type: 'pam.push.retry',
    actor,
    targets: [
      refTo('user', { id: row.user_id, name: row.user_name }),
      refTo('group', { id: row.group_id, name: row.group_name }),
      refTo('push_target', { id: row.target_id, name: row.target_name }),
    ],
    outcome: SUCCESS,
    request_id: row.request_id,
    details: { error: row.last_error },
  });
  await tx.enqueue({ name: 'membership.push', payload: { push_id: id } });
  return toPush((await findPush(tx.sql, id)) ?? row);
}
