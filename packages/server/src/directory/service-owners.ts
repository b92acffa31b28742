import { type Caller, eventBy, makersOf, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { findUser, lockAdministration } from './store.ts';
import { deleteGroupOwner, findGroup, insertGroupOwner, ownersOfGroups } from './store-groups.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

/** Gives the group exactly these owners, who decide who is in it. */
export async function setGroupOwners(
  tx: Tx,
  caller: Caller,
  groupId: string,
  ids: readonly string[],
): Promise<void> {
  await lockAdministration(tx.sql);
  const group = await findGroup(tx.sql, groupId);
  if (group === undefined) throw new Refusal('not_found', 'There is no such group.');
  const owners: { id: string; login: string }[] = [];
  for (const [index, id] of ids.entries()) {
    const user = await findUser(tx.sql, id);
    if (user === undefined || user.status === 'DELETED')
      throw new Refusal('invalid_request', 'One of the owners is no user.', {
        errors: [
          { pointer: `/owners/${index}`, code: 'unknown_user', detail: 'there is no such user' },
        ],
        next: '`sft-admin users list` shows the users.',
      });
    owners.push({ id, login: user.login });
  }
  await changeOwners(tx, caller, group, owners);
}

/** @returns what changed, a line each. The administration lock is held. */
export async function changeOwners(
  tx: Tx,
  caller: Caller,
  group: Named,
  wanted: readonly { readonly id: string; readonly login: string }[],
): Promise<string[]> {
  const held = await ownersOfGroups(tx.sql, [group.id]);
  const added = wanted.filter(({ id }) => !held.some((row) => row.user_id === id));
  const removed = held.filter((row) => !wanted.some(({ id }) => id === row.user_id));
  if (added.length + removed.length === 0) return [];
  await bumpRevisions(tx.sql, [...added.map(({ id }) => id), ...removed.map((row) => row.user_id)]);
  for (const { id } of added)
    await insertGroupOwner(tx.sql, {
      group_id: group.id,
      user_id: id,
      made_by: json(makersOf(caller)),
      created_at: tx.now,
    });
  for (const row of removed) await deleteGroupOwner(tx.sql, group.id, row.user_id);
  const changes = [
    ...added.map(({ login }) => `owner added: ${login}`),
    ...removed.map((row) => `owner removed: ${row.login}`),
  ];
  await tx.audit(eventBy(caller, 'pam.group.update', [refTo('group', group)], { changes }));
  await tx.signal({ kind: 'group', id: group.id });
  return changes;
}
