import { isGroupName } from '@postern/shared';
import {
  countAdmins,
  findGroupByName,
  findLookalikeGroup,
  insertGroup,
  leaveGroup,
  liveMemberships,
  lockAdministration,
  lockGroup as lockMembers,
  membersOf,
  refuseLockout,
  refusePushOf,
} from '../directory/index.ts';
import { eventFrom, refTo } from '../identity/index.ts';
import { bumpRevisions } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { type Connection, etagOf } from './connection.ts';
import { badValue, noSuch, notUnique } from './fault.ts';
import { readOperations } from './patch.ts';
import { foldGroup, type GroupChange, readMembers } from './patch-group.ts';
import type { ListQuery } from './query.ts';
import { groupResource, project, type Wanted, wants } from './render.ts';
import { readResource } from './resource.ts';
import { GROUP, type Json, listResponse } from './schemas.ts';
import { changeMembers } from './service-members.ts';
import { type Rendered, requireEtag } from './service-users.ts';
import {
  findScimGroup,
  listScimGroups,
  lockScimGroup,
  pushedMembers,
  putScimGroup,
  type ScimGroupRow,
  updateGroup,
  updateScimGroup,
  waitingLinks,
} from './store-groups.ts';

export async function getGroup(
  tx: Tx,
  connection: Connection,
  id: string,
  wanted: Wanted,
): Promise<Rendered> {
  const row = await findScimGroup(tx.sql, connection.id, id);
  if (row === undefined) throw noSuch('group');
  const members = wants(wanted, 'members') ? await pushedMembers(tx.sql, [id]) : null;
  return {
    body: project(groupResource(row, members, connection.base), wanted),
    etag: etagOf(row.version),
    location: `${connection.base}/Groups/${id}`,
  };
}

export async function listGroups(
  tx: Tx,
  connection: Connection,
  query: ListQuery,
  wanted: Wanted,
): Promise<Json> {
  const { total, list } = await listScimGroups(tx.sql, connection.id, query);
  const ids = list.map((row) => row.id);
  const members = wants(wanted, 'members') ? await pushedMembers(tx.sql, ids) : null;
  const byGroup = Map.groupBy(members ?? [], (row) => row.group_id);
  const resources = list.map((row) =>
    project(
      groupResource(row, members === null ? null : (byGroup.get(row.id) ?? []), connection.base),
      wanted,
    ),
  );
  return listResponse(resources, { startIndex: query.offset + 1, totalResults: total });
}

interface PushedGroup {
  readonly displayName: string;
  readonly externalId: string | null;
  /** undefined: not a word of them. */
  readonly members: readonly string[] | undefined;
}

function readGroup(body: unknown): PushedGroup {
  const fields = Object.fromEntries(
    Object.entries(readResource(body, GROUP)).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const { displayname, externalid, members } = fields;
  if (typeof displayname !== 'string') throw badValue('displayName is required.');
  if (externalid != null && typeof externalid !== 'string') throw badValue('externalId is text.');
  return {
    displayName: displayname,
    externalId: (externalid as string | null | undefined) || null,
    members: members == null ? undefined : readMembers(members),
  };
}

/**
 * A group of the connection's own; or the one that an administrator linked to it, by its name
 * or the external id he named. A local one of this name is never adopted.
 */
export async function createGroup(
  tx: Tx,
  connection: Connection,
  body: unknown,
): Promise<Rendered> {
  const { displayName, externalId, members = [] } = readGroup(body);
  await lockAdministration(tx.sql);
  const links = await waitingLinks(tx.sql, connection.id);
  const link =
    links.find((row) => externalId !== null && row.external_id === externalId) ??
    links.find((row) => row.name === displayName);
  const id = link?.id ?? tx.ids.uuid();
  if (link === undefined) await makeGroup(tx, connection, id, displayName);
  else await takeOver(tx, connection, link, displayName);
  await putScimGroup(tx.sql, {
    group_id: id,
    connection_id: connection.id,
    external_id: externalId,
    created_at: tx.now,
    updated_at: tx.now,
    taken_at: tx.now,
  });
  const admins = await countAdmins(tx.sql, tx.now);
  const group = { id, name: displayName };
  await changeMembers(tx, connection, group, {
    clear: false,
    add: new Set(members),
    remove: new Set(),
  });
  await refuseLockout(tx, admins);
  return await getGroup(tx, connection, id, { only: null, without: [] });
}

async function makeGroup(tx: Tx, connection: Connection, id: string, name: string): Promise<void> {
  await refuseName(tx, name);
  await insertGroup(tx.sql, { id, name, source: 'scim', created_at: tx.now });
  await tx.audit(
    eventFrom(connection.author, 'pam.group.create', [refTo('group', { id, name })], {
      source: 'scim',
    }),
  );
}

async function takeOver(
  tx: Tx,
  connection: Connection,
  group: { readonly id: string; readonly name: string },
  displayName: string,
): Promise<void> {
  const changes = ['source: local → scim'];
  if (displayName !== group.name) changes.push(await rename(tx, group, displayName));
  await refusePushOf(tx, group);
  await updateGroup(tx.sql, group.id, { source: 'scim' });
  await recordGroup(tx, connection, { id: group.id, name: displayName }, changes);
}

async function refuseName(tx: Tx, name: string, ownId?: string): Promise<void> {
  if (!isGroupName(name)) throw badValue('displayName is not usable as a group name here.');
  if ((await findGroupByName(tx.sql, name)) !== undefined)
    throw notUnique('A group of this name is, or was, here. Only an administrator can link it.');
  const alike = await findLookalikeGroup(tx.sql, name);
  if (alike !== undefined && alike.id !== ownId)
    throw notUnique('The name looks like that of another group here.');
}

async function rename(
  tx: Tx,
  group: { readonly id: string; readonly name: string },
  name: string,
): Promise<string> {
  await refuseName(tx, name, group.id);
  await updateGroup(tx.sql, group.id, { name });
  return `name: ${group.name} → ${name}`;
}

async function recordGroup(
  tx: Tx,
  connection: Connection,
  group: { readonly id: string; readonly name: string },
  changes: readonly string[],
): Promise<void> {
  if (changes.length === 0) return;
  const target = refTo('group', group);
  await tx.audit(eventFrom(connection.author, 'pam.group.update', [target], { changes }));
  await tx.signal({ kind: 'group', id: group.id });
}

export async function replaceGroup(
  tx: Tx,
  connection: Connection,
  id: string,
  body: unknown,
  ifMatch: string | undefined,
): Promise<Rendered> {
  const { displayName, externalId, members } = readGroup(body);
  await change(tx, connection, id, ifMatch, () => ({
    displayName,
    externalId,
    clear: true,
    add: new Set(members ?? []),
    remove: new Set(),
  }));
  return await getGroup(tx, connection, id, { only: null, without: [] });
}

export async function modifyGroup(
  tx: Tx,
  connection: Connection,
  id: string,
  body: unknown,
  ifMatch: string | undefined,
): Promise<{ readonly etag: string }> {
  const operations = readOperations(body);
  return await change(tx, connection, id, ifMatch, () => foldGroup(operations, id));
}

async function lockGroup(
  tx: Tx,
  connection: Connection,
  id: string,
  ifMatch: string | undefined,
): Promise<ScimGroupRow> {
  if ((await findScimGroup(tx.sql, connection.id, id)) === undefined) throw noSuch('group');
  await lockAdministration(tx.sql);
  await lockScimGroup(tx.sql, id);
  const row = await findScimGroup(tx.sql, connection.id, id);
  if (row === undefined) throw noSuch('group');
  requireEtag(ifMatch, row.version);
  return row;
}

async function change(
  tx: Tx,
  connection: Connection,
  id: string,
  ifMatch: string | undefined,
  wish: () => GroupChange,
): Promise<{ readonly etag: string }> {
  const wanted = wish();
  const row = await lockGroup(tx, connection, id, ifMatch);
  const { displayName = row.name, externalId = row.external_id } = wanted;
  const admins = await countAdmins(tx.sql, tx.now);
  const changes = displayName === row.name ? [] : [await rename(tx, row, displayName)];
  await recordGroup(tx, connection, { id, name: displayName }, changes);
  await updateScimGroup(tx.sql, id, tx.now, { external_id: externalId });
  await changeMembers(tx, connection, { id, name: displayName }, wanted);
  await refuseLockout(tx, admins);
  return { etag: etagOf(row.version + 1) };
}

/** Nobody is in it any more, by whatever way; its name stays taken. */
export async function deleteGroup(
  tx: Tx,
  connection: Connection,
  id: string,
  ifMatch: string | undefined,
): Promise<void> {
  const row = await lockGroup(tx, connection, id, ifMatch);
  await lockMembers(tx.sql, id);
  const admins = await countAdmins(tx.sql, tx.now);
  const members = (await membersOf(tx.sql, id, tx.now)).map((member) => member.user_id);
  await bumpRevisions(tx.sql, members);
  for (const user_id of members)
    await leaveGroup(
      tx,
      connection.author,
      await liveMemberships(tx.sql, tx.now, { user_id, group_id: id }),
    );
  await updateGroup(tx.sql, id, { deleted_at: tx.now });
  await refuseLockout(tx, admins);
  await tx.audit(eventFrom(connection.author, 'pam.group.delete', [refTo('group', row)]));
  await tx.signal({ kind: 'group', id });
}
