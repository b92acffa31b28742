import { type Change, type GroupDocument, isGroupName } from '@postern/shared';
import { type Caller, eventBy, makersOf, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { changeOf } from './change.ts';
import { changeRoles } from './service-groups.ts';
import { refuseField, resolveLogins } from './service-refer.ts';
import {
  deleteGroupOwner,
  findGroupByName,
  insertGroup,
  insertGroupOwner,
  ownersOfGroups,
} from './store-groups.ts';

/** The group every person is in. Made with the team. */
export const EVERYONE = 'everyone';

/** Creates the group, or gives it the roles that the document names. The administration lock is held. */
export async function putGroup(tx: Tx, caller: Caller, document: GroupDocument): Promise<Change> {
  const { name, roles } = document;
  if (!isGroupName(name)) refuseField('/name', 'group_name', 'is not usable as a group name');
  const found = await findGroupByName(tx.sql, name);
  if (found?.deleted_at != null)
    throw new Refusal('state_conflict', 'A group of this name was deleted; names are not reused.');
  const group = found ?? (await createGroup(tx, caller, name));
  const details = roles === undefined ? [] : await changeRoles(tx, caller, group, roles);
  return changeOf('Group', name, found === undefined, details);
}

export async function createGroup(
  tx: Tx,
  caller: Caller | null,
  name: string,
): Promise<{ readonly id: string; readonly name: string }> {
  const group = { id: tx.ids.uuid(), name };
  await insertGroup(tx.sql, { ...group, created_at: tx.now });
  if (caller) await tx.audit(eventBy(caller, 'pam.group.create', [refTo('group', group)]));
  return group;
}

/** Gives the group exactly the owners that the document names. @returns what changed, a line each */
export async function linkGroup(
  tx: Tx,
  caller: Caller,
  { name, owners }: GroupDocument,
): Promise<string[]> {
  if (owners === undefined) return [];
  const group = await findGroupByName(tx.sql, name);
  if (group === undefined) throw new Error('a group is linked after it is made');
  const held = await ownersOfGroups(tx.sql, [group.id]);
  const wanted = await resolveLogins(tx, owners, '/owners');
  const added = [...wanted].filter(([, id]) => !held.some((row) => row.user_id === id));
  const removed = held.filter((row) => ![...wanted.values()].includes(row.user_id));
  if (added.length + removed.length === 0) return [];
  await bumpRevisions(tx.sql, [...added.map(([, id]) => id), ...removed.map((row) => row.user_id)]);
  for (const [, user_id] of added)
    await insertGroupOwner(tx.sql, {
      group_id: group.id,
      user_id,
      made_by: json(makersOf(caller)),
      created_at: tx.now,
    });
  for (const row of removed) await deleteGroupOwner(tx.sql, group.id, row.user_id);
  const changes = [
    ...added.map(([login]) => `owner added: ${login}`),
    ...removed.map((row) => `owner removed: ${row.login}`),
  ];
  await tx.audit(eventBy(caller, 'pam.group.update', [refTo('group', group)], { changes }));
  await tx.signal({ kind: 'group', id: group.id });
  return changes;
}
