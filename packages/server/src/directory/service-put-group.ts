import { type Change, type GroupDocument, isGroupName } from '@postern/shared';
import { type Caller, eventBy, refTo } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { changeOf } from './change.ts';
import { changeRoles } from './service-groups.ts';
import { changeOwners } from './service-owners.ts';
import { changeSources } from './service-privileged.ts';
import { refuseField, resolveLogins } from './service-refer.ts';
import { findGroupByName, findLookalikeGroup, insertGroup } from './store-groups.ts';

/** The group every person is in. Made with the team. */
export const EVERYONE = 'everyone';

/** Creates the group, or gives it the roles that the document names. The administration lock is held. */
export async function putGroup(tx: Tx, caller: Caller, document: GroupDocument): Promise<Change> {
  const { name, roles, privileged_sources: sources } = document;
  if (!isGroupName(name)) refuseField('/name', 'group_name', 'is not usable as a group name');
  const found = await findGroupByName(tx.sql, name);
  if (found?.deleted_at != null)
    throw new Refusal('state_conflict', 'A group of this name was deleted; names are not reused.');
  const group = found ?? (await createGroup(tx, caller, name));
  const setRoles = async () =>
    roles === undefined ? [] : await changeRoles(tx, caller, group, roles);
  const details =
    sources === undefined
      ? await setRoles()
      : await changeSources(tx, caller, group, sources, setRoles);
  return changeOf('Group', name, found === undefined, details);
}

/** @throws Refusal when there is a group whose name people would take for this one */
async function refuseLookalikeGroup(tx: Tx, name: string): Promise<void> {
  const other = await findLookalikeGroup(tx.sql, name);
  if (other === undefined) return;
  const detail = `looks like the name of another group, ${other.name}`;
  throw new Refusal('state_conflict', `The name ${detail}.`, {
    next: 'Choose a name that nobody takes for that one.',
    errors: [{ pointer: '/name', code: 'lookalike', detail }],
  });
}

export async function createGroup(
  tx: Tx,
  caller: Caller | null,
  name: string,
): Promise<{ readonly id: string; readonly name: string }> {
  await refuseLookalikeGroup(tx, name);
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
  const wanted = await resolveLogins(tx, owners, '/owners');
  return changeOwners(
    tx,
    caller,
    group,
    [...wanted].map(([login, id]) => ({ id, login })),
  );
}
