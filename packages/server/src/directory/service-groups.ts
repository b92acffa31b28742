import type { Answer, Group, Role } from '@postern/shared';
import { toRfc3339 } from '@postern/shared';
import { type Caller, eventBy, makersOf, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { isPlainText } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { refuseLockout } from './service-lockout.ts';
import { findUser, lockAdministration } from './store.ts';
import {
  countAdmins,
  deleteRole,
  endMemberships,
  findGroup,
  insertMembership,
  insertRole,
  listGroups as listGroupRows,
  listMembers,
  liveMemberships,
  lockGroup,
  type MembershipRow,
  membersOf,
  ownersOfGroups,
  rolesOfGroups,
} from './store-groups.ts';

interface NamedGroup {
  readonly id: string;
  readonly name: string;
}

const noGroup = (): Refusal => new Refusal('not_found', 'There is no such group.');

export async function listGroups(
  tx: Tx,
  query: PageQuery & { readonly name?: string | undefined },
): Promise<{ readonly list: Group[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  if (query.name !== undefined && !isPlainText(query.name)) return { list: [] };
  const cut = cutPage(await listGroupRows(tx.sql, { ...page, name: query.name }), page);
  return { ...cut, list: await withRolesAndOwners(tx, cut.list) };
}

async function withRolesAndOwners(
  tx: Tx,
  groups: readonly (NamedGroup & { readonly source: string })[],
): Promise<Group[]> {
  const ids = groups.map((group) => group.id);
  const roles = await rolesOfGroups(tx.sql, ids);
  const owners = await ownersOfGroups(tx.sql, ids);
  return groups.map(({ id, name, source }) => ({
    id,
    name,
    source,
    roles: roles.filter((row) => row.group_id === id).map((row) => row.role),
    owners: owners
      .filter((row) => row.group_id === id)
      .map((row) => ({ id: row.user_id, name: row.name })),
  }));
}

export async function listGroupMembers(
  tx: Tx,
  groupId: string,
  query: PageQuery,
): Promise<Answer<'listGroupMembers'> & { readonly next_cursor?: string }> {
  const page = pageOf(query);
  if ((await findGroup(tx.sql, groupId)) === undefined) throw noGroup();
  const cut = cutPage(await listMembers(tx.sql, tx.now, { ...page, group_id: groupId }), page);
  const list = cut.list.map((row) => ({
    id: row.id,
    user: { id: row.user_id, name: row.user_name },
    source: row.source,
    request_id: row.request_id,
    expires_at: row.expires_at === null ? null : toRfc3339(row.expires_at),
  }));
  return { ...cut, list };
}

/** Adds a standing membership; one that is there already stays as it is, with who made it. */
export async function addGroupMember(
  tx: Tx,
  caller: Caller,
  groupId: string,
  userId: string,
): Promise<void> {
  await bumpRevisions(tx.sql, [userId]);
  const group = await findGroup(tx.sql, groupId);
  if (group === undefined) throw noGroup();
  const user = await findUser(tx.sql, userId);
  if (user === undefined) throw new Refusal('not_found', 'There is no such user.');
  if (user.status === 'DELETED')
    throw new Refusal('state_conflict', 'The user is deleted and joins no group.');
  await joinGroup(tx, caller, group, user);
}

/** @returns whether that changed anything. The user's revision is bumped already. */
export async function joinGroup(
  tx: Tx,
  caller: Caller,
  group: NamedGroup,
  user: { readonly id: string; readonly name: string },
): Promise<boolean> {
  const which = { user_id: user.id, group_id: group.id };
  const rows = await liveMemberships(tx.sql, tx.now, which);
  if (rows.some((row) => row.source === 'direct')) return false;
  await insertMembership(tx.sql, {
    id: tx.ids.uuid(),
    group_id: group.id,
    user_id: user.id,
    source: 'direct',
    request_id: null,
    made_by: json(makersOf(caller)),
    created_at: tx.now,
    expires_at: null,
  });
  await tx.audit(
    eventBy(caller, 'group.user_membership.add', [refTo('user', user), refTo('group', group)], {
      source: 'direct',
    }),
  );
  await signalBoth(tx, group.id, user.id);
  return true;
}

/** Ends every membership of the user in the group, those that a request gave him as well. */
export async function removeGroupMember(
  tx: Tx,
  caller: Caller,
  groupId: string,
  userId: string,
): Promise<void> {
  await lockAdministration(tx.sql);
  await bumpRevisions(tx.sql, [userId]);
  if ((await findGroup(tx.sql, groupId)) === undefined) throw noGroup();
  if ((await findUser(tx.sql, userId)) === undefined)
    throw new Refusal('not_found', 'There is no such user.');
  const admins = await countAdmins(tx.sql, tx.now);
  const which = { user_id: userId, group_id: groupId };
  await leaveGroup(tx, caller, await liveMemberships(tx.sql, tx.now, which));
  await refuseLockout(tx, admins);
}

/** Ends rows of one user. His revision is bumped already. */
export async function leaveGroup(
  tx: Tx,
  caller: Caller,
  rows: readonly MembershipRow[],
): Promise<void> {
  await endMemberships(
    tx.sql,
    rows.map((row) => row.id),
    tx.now,
  );
  for (const row of rows) {
    await tx.audit({
      ...eventBy(
        caller,
        'group.user_membership.remove',
        [
          refTo('user', { id: row.user_id, name: row.user_name }),
          refTo('group', { id: row.group_id, name: row.group_name }),
        ],
        { source: row.source },
      ),
      request_id: row.request_id,
    });
    await signalBoth(tx, row.group_id, row.user_id);
  }
}

async function signalBoth(tx: Tx, groupId: string, userId: string): Promise<void> {
  await tx.signal({ kind: 'group', id: groupId });
  await tx.signal({ kind: 'user', id: userId });
}

/** Sets exactly these roles for everybody in the group. */
export async function setGroupRoles(
  tx: Tx,
  caller: Caller,
  groupId: string,
  roles: readonly Role[],
): Promise<Group> {
  await lockAdministration(tx.sql);
  const group = await findGroup(tx.sql, groupId);
  if (group === undefined) throw noGroup();
  const admins = await countAdmins(tx.sql, tx.now);
  await changeRoles(tx, caller, group, roles);
  await refuseLockout(tx, admins);
  return (await withRolesAndOwners(tx, [group]))[0] as Group;
}

/**
 * @returns what changed, a line each. The administration lock is held; while the group's
 * row is, nobody joins unseen.
 */
export async function changeRoles(
  tx: Tx,
  caller: Caller,
  group: NamedGroup,
  wanted: readonly Role[],
): Promise<string[]> {
  const held = (await rolesOfGroups(tx.sql, [group.id])).map((row) => row.role);
  const added = wanted.filter((role) => !held.includes(role));
  const removed = held.filter((role) => !wanted.includes(role));
  if (added.length + removed.length === 0) return [];
  await lockGroup(tx.sql, group.id);
  const members = await membersOf(tx.sql, group.id, tx.now);
  const ids = members.map((member) => member.user_id);
  await bumpRevisions(tx.sql, ids);
  for (const role of added) {
    await insertRole(tx.sql, {
      id: tx.ids.uuid(),
      group_id: group.id,
      role,
      created_by: caller.user_id,
      created_at: tx.now,
    });
    await tx.audit(eventBy(caller, 'pam.role.assign', [refTo('group', group)], { role }));
  }
  for (const role of removed) {
    await deleteRole(tx.sql, group.id, role);
    await tx.audit(eventBy(caller, 'pam.role.remove', [refTo('group', group)], { role }));
  }
  await tx.signal({ kind: 'group', id: group.id });
  return [
    ...added.map((role) => `role added: ${role}`),
    ...removed.map((role) => `role removed: ${role}`),
  ];
}
