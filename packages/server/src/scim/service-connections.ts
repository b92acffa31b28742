import type { Answer, Body, Group, ScimConnection } from '@postern/shared';
import { toRfc3339 } from '@postern/shared';
import {
  applyGroupRules,
  changeProfile,
  changeProvisioned,
  countAdmins,
  findGroupByName,
  findUser,
  groupOf,
  lockAdministration,
  recordUserChange,
  refuseLockout,
  refusePushOf,
} from '../directory/index.ts';
import {
  authorOf,
  type Caller,
  eventBy,
  makersOf,
  makeToken,
  refTo,
  TOKEN_SECRET_BYTES,
} from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { plainTextFaults, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import {
  type ConnectionView,
  endTokens,
  findConnection,
  insertConnection,
  insertToken,
  isNameTaken,
  listConnections as listRows,
  lockConnection,
  markRevoked,
  setAuthoritative,
} from './store-connections.ts';
import { findLink, putScimGroup } from './store-groups.ts';
import { scimUserIds } from './store-users.ts';

const noConnection = (): Refusal =>
  new Refusal('not_found', 'There is no such SCIM connection.', {
    next: 'See what there is: sft-admin scim list',
  });

const toConnection = (row: ConnectionView): ScimConnection => ({
  id: row.id,
  name: row.name,
  authoritative: row.authoritative,
  created_by: { id: row.created_by, name: row.creator_name },
  created_at: toRfc3339(row.created_at),
  token_made_at: row.token_made_at === null ? null : toRfc3339(row.token_made_at),
  revoked_at: row.revoked_at === null ? null : toRfc3339(row.revoked_at),
  users: row.users,
  groups: row.groups,
});

export async function createConnection(
  tx: Tx,
  caller: Caller,
  { name, authoritative = [] }: Body<'createScimConnection'>,
): Promise<Answer<'createScimConnection'>> {
  refuseFaults(plainTextFaults({ '/name': name }));
  await lockAdministration(tx.sql);
  if (await isNameTaken(tx.sql, name))
    throw new Refusal('state_conflict', 'A SCIM connection of this name is, or was, here.', {
      next: 'Give it another name.',
    });
  const connection = { id: tx.ids.uuid(), name };
  await insertConnection(tx.sql, {
    ...connection,
    authoritative: json(authoritative),
    made_by: json(makersOf(caller)),
    created_by: caller.user_id,
    created_at: tx.now,
  });
  await tx.audit(
    eventBy(caller, 'pam.scim_connection.create', [refTo('scim_connection', connection)], {
      authoritative,
    }),
  );
  return { ...connection, token: await addToken(tx, caller, connection.id) };
}

async function addToken(tx: Tx, caller: Caller, connection_id: string): Promise<string> {
  const id = tx.ids.uuid();
  const { token, hash } = makeToken(id, tx.ids.random(TOKEN_SECRET_BYTES));
  const made_by = json(makersOf(caller));
  await insertToken(tx.sql, { id, connection_id, hash, made_by, created_at: tx.now });
  return token;
}

export async function listConnections(
  tx: Tx,
  query: PageQuery,
): Promise<{ readonly list: ScimConnection[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  const cut = cutPage(await listRows(tx.sql, page), page);
  return { ...cut, list: cut.list.map(toConnection) };
}

/** The connection, locked: who writes through it has committed, or waits. */
async function lockLive(tx: Tx, id: string): Promise<ConnectionView> {
  await lockConnection(tx.sql, id, 'update');
  const found = await findConnection(tx.sql, id);
  if (found === undefined) throw noConnection();
  if (found.revoked_at !== null)
    throw new Refusal('state_conflict', `The SCIM connection ${found.name} is revoked for good.`, {
      next: 'Make another one: sft-admin scim create',
    });
  return found;
}

/** What is believed from now on, with the next push of each; what no more, is forgotten at once. */
export async function updateConnection(
  tx: Tx,
  caller: Caller,
  id: string,
  { authoritative }: Body<'updateScimConnection'>,
): Promise<ScimConnection> {
  const found = await lockLive(tx, id);
  await setAuthoritative(tx.sql, id, json(authoritative));
  const kept: readonly string[] = authoritative;
  await forget(
    tx,
    caller,
    id,
    found.authoritative.filter((name) => !kept.includes(name)),
  );
  await tx.audit(
    eventBy(caller, 'pam.scim_connection.update', [refTo('scim_connection', found)], {
      authoritative,
    }),
  );
  return toConnection({ ...found, authoritative });
}

/** A manager approves, and attributes lead into groups: neither outlives the word it rests on. */
async function forget(
  tx: Tx,
  caller: Caller,
  connectionId: string,
  names: readonly string[],
): Promise<void> {
  if (names.length === 0) return;
  await lockAdministration(tx.sql);
  const ids = await scimUserIds(tx.sql, connectionId);
  const admins = await countAdmins(tx.sql, tx.now);
  await bumpRevisions(tx.sql, ids);
  const author = authorOf(caller);
  const attributes = Object.fromEntries(names.map((name) => [name, undefined]));
  for (const id of ids) {
    const user = await findUser(tx.sql, id);
    if (user === undefined) continue;
    const changes = await changeProvisioned(tx, author, user, { ...user, attributes });
    if (names.includes('manager'))
      changes.push(...(await changeProfile(tx, author, user, { manager_id: null })));
    await recordUserChange(tx, author, user, changes);
  }
  await applyGroupRules(tx, author, { user_ids: ids });
  await refuseLockout(tx, admins);
}

/** The token before ends in the instant in which this one is made. */
export async function rotateToken(
  tx: Tx,
  caller: Caller,
  id: string,
): Promise<Answer<'rotateScimToken'>> {
  const found = await lockLive(tx, id);
  await endTokens(tx.sql, id, tx.now);
  const token = await addToken(tx, caller, id);
  await tx.audit(
    eventBy(caller, 'pam.scim_connection.token.rotate', [refTo('scim_connection', found)]),
  );
  return { id, name: found.name, token };
}

/** Its users and groups stay as they are, and are changed here from now on. */
export async function revokeConnection(tx: Tx, caller: Caller, id: string): Promise<void> {
  await lockConnection(tx.sql, id, 'update');
  const found = await findConnection(tx.sql, id);
  if (found === undefined) throw noConnection();
  if (found.revoked_at !== null) return;
  await endTokens(tx.sql, id, tx.now);
  await markRevoked(tx.sql, id, tx.now);
  await tx.audit(eventBy(caller, 'pam.scim_connection.revoke', [refTo('scim_connection', found)]));
}

/** Lets the next push take over a group that is here. Who is in it directly stays in it. */
export async function linkGroup(
  tx: Tx,
  caller: Caller,
  id: string,
  { group: name, external_id }: Body<'linkScimGroup'>,
): Promise<Group> {
  const connection = await lockLive(tx, id);
  await lockAdministration(tx.sql);
  const group = await findGroupByName(tx.sql, name);
  if (group === undefined || group.deleted_at !== null)
    throw new Refusal('not_found', 'There is no such group.', {
      next: 'See the groups: sft-admin groups list',
    });
  const link = await findLink(tx.sql, group.id);
  if (link !== undefined && link.revoked_at === null && link.connection_id !== id)
    throw new Refusal('state_conflict', `The group belongs to ${link.connection_name} already.`);
  if (link?.connection_id === id && link.taken_at !== null)
    throw new Refusal('state_conflict', `${connection.name} pushes this group already.`);
  await refusePushOf(tx, group);
  await putScimGroup(tx.sql, {
    group_id: group.id,
    connection_id: id,
    external_id: external_id ?? null,
    created_at: tx.now,
    updated_at: tx.now,
    taken_at: null,
  });
  const targets = [refTo('group', group), refTo('scim_connection', connection)];
  await tx.audit(eventBy(caller, 'pam.group.link', targets, { external_id: external_id ?? null }));
  return await groupOf(tx, group);
}
