import type { Answer, Group, GroupSource, Relation, Role } from '@postern/shared';
import { toRfc3339 } from '@postern/shared';
import { authorOf, type Caller, eventBy, refTo } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { isPlainText } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { refuseLockout } from './service-lockout.ts';
import { refusePushed } from './service-masters.ts';
import { joinGroup, leaveGroup, type Named } from './service-memberships.ts';
import { changeSources, describePrivileges, refuseUnnamedSources } from './service-privileged.ts';
import { refuseMemberByRule } from './service-rules.ts';
import { findUser, lockAdministration } from './store.ts';
import {
  countAdmins,
  deleteRole,
  findGroup,
  insertRole,
  listGroups as listGroupRows,
  listMembers,
  liveMemberships,
  lockGroup,
  membersOf,
  ownersOfGroups,
  rolesOfGroups,
} from './store-groups.ts';
import { pusherOf } from './store-masters.ts';

const noGroup = (): Refusal => new Refusal('not_found', 'There is no such group.');

/** All groups, or those that the caller owns where his roles let him see no others. */
export async function listGroups(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  query: PageQuery & { readonly name?: string | undefined },
): Promise<{ readonly list: Group[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  if (query.name !== undefined && !isPlainText(query.name)) return { list: [] };
  const cut = cutPage(
    await listGroupRows(tx.sql, {
      ...page,
      name: query.name,
      owner_id: relations.has('any') ? undefined : caller.user_id,
    }),
    page,
  );
  return { ...cut, list: await withRolesAndOwners(tx, cut.list) };
}

async function withRolesAndOwners(
  tx: Tx,
  groups: readonly (Named & { readonly source: string })[],
): Promise<Group[]> {
  const ids = groups.map((group) => group.id);
  const roles = await rolesOfGroups(tx.sql, ids);
  const owners = await ownersOfGroups(tx.sql, ids);
  const privilegesOf = await describePrivileges(tx, ids);
  return groups.map(({ id, name, source }) => ({
    id,
    name,
    source,
    roles: roles.filter((row) => row.group_id === id).map((row) => row.role),
    owners: owners
      .filter((row) => row.group_id === id)
      .map((row) => ({ id: row.user_id, name: row.name })),
    ...privilegesOf(id),
  }));
}

/** A group as the API shows it. */
export const groupOf = async (tx: Tx, group: Named & { readonly source: string }): Promise<Group> =>
  (await withRolesAndOwners(tx, [group]))[0] as Group;

export async function listGroupMembers(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  groupId: string,
  query: PageQuery,
): Promise<Answer<'listGroupMembers'> & { readonly next_cursor?: string }> {
  const page = pageOf(query);
  if ((await findGroup(tx.sql, groupId)) === undefined) throw noGroup();
  // To whoever does not own it, it is not there.
  if (!relations.has('any') && !(await ownsGroup(tx, caller.user_id, groupId))) throw noGroup();
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

export const ownsGroup = async (tx: Tx, userId: string, groupId: string): Promise<boolean> =>
  (await ownersOfGroups(tx.sql, [groupId])).some((row) => row.user_id === userId);

/** For whoever has changed it. */
export async function describeGroup(tx: Tx, groupId: string): Promise<Group> {
  const group = await findGroup(tx.sql, groupId);
  if (group === undefined) throw noGroup();
  return (await withRolesAndOwners(tx, [group]))[0] as Group;
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
  await refusePushed(tx, group);
  await joinGroup(tx, authorOf(caller), { group, user, source: 'direct' });
}

/**
 * Ends every membership of the user in the group, those that a request gave him as well. Of a
 * pushed group only what was not pushed: what was is ended by whoever pushes it. Refused where
 * a rule put him there.
 */
export async function removeGroupMember(
  tx: Tx,
  caller: Caller,
  groupId: string,
  userId: string,
): Promise<void> {
  await lockAdministration(tx.sql);
  await bumpRevisions(tx.sql, [userId]);
  const group = await findGroup(tx.sql, groupId);
  if (group === undefined) throw noGroup();
  const user = await findUser(tx.sql, userId);
  if (user === undefined) throw new Refusal('not_found', 'There is no such user.');
  const admins = await countAdmins(tx.sql, tx.now);
  const which = { user_id: userId, group_id: groupId };
  const rows = await liveMemberships(tx.sql, tx.now, which);
  if (rows.some((row) => row.source === 'rule')) await refuseMemberByRule(tx, group, user);
  const ours = rows.filter((row) => row.source !== 'scim');
  if (ours.length === 0) await refusePushed(tx, group);
  const isPushed = group.source === 'scim' && (await pusherOf(tx.sql, groupId)) !== undefined;
  await leaveGroup(tx, authorOf(caller), isPushed ? ours : rows);
  await refuseLockout(tx, admins);
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
  return await groupOf(tx, group);
}

/** Sets exactly these sources besides an admin and requests, for when the group is privileged. */
export async function setGroupSources(
  tx: Tx,
  caller: Caller,
  groupId: string,
  sources: readonly GroupSource[],
): Promise<Group> {
  await lockAdministration(tx.sql);
  const group = await findGroup(tx.sql, groupId);
  if (group === undefined) throw noGroup();
  await changeSources(tx, caller, group, sources);
  return (await withRolesAndOwners(tx, [group]))[0] as Group;
}

/**
 * @returns what changed, a line each. The administration lock is held; while the group's
 * row is, nobody joins unseen.
 */
export async function changeRoles(
  tx: Tx,
  caller: Caller,
  group: Named,
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
  if (added.length > 0) await refuseUnnamedSources(tx, [group.id]);
  await tx.signal({ kind: 'group', id: group.id });
  return [
    ...added.map((role) => `role added: ${role}`),
    ...removed.map((role) => `role removed: ${role}`),
  ];
}
