import {
  applyGroupRules,
  changeProfile,
  changeProvisioned,
  changeStatus,
  countAdmins,
  type DirectoryHooks,
  findUser,
  lockAdministration,
  provisionUser,
  recordUserChange,
  refuseLockout,
} from '../directory/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { type Connection, etagOf, namesEtag } from './connection.ts';
import { noSuch, notUnique, ScimFault } from './fault.ts';
import { readOperations } from './patch.ts';
import { patchUser } from './patch-user.ts';
import type { ListQuery } from './query.ts';
import { project, userResource, type Wanted } from './render.ts';
import { type PushedUser, readResource, readUser } from './resource.ts';
import { type Json, listResponse, USER } from './schemas.ts';
import {
  findScimUser,
  insertScimUser,
  listScimUsers,
  type ScimUserRow,
  scimUsersAmong,
  updateScimUser,
} from './store-users.ts';

/** A resource with its ETag. */
export interface Rendered {
  readonly body: Json;
  readonly etag: string;
  readonly location: string;
}

export function renderedUser(connection: Connection, row: ScimUserRow, wanted: Wanted): Rendered {
  const resource = userResource(row, connection.base);
  return {
    body: project(resource, wanted),
    etag: etagOf(row.version),
    location: `${connection.base}/Users/${row.id}`,
  };
}

export async function getUser(
  tx: Tx,
  connection: Connection,
  id: string,
  wanted: Wanted,
): Promise<Rendered> {
  const row = await findScimUser(tx.sql, connection.id, id);
  if (row === undefined) throw noSuch('user');
  return renderedUser(connection, row, wanted);
}

export async function listUsers(
  tx: Tx,
  connection: Connection,
  query: ListQuery,
  wanted: Wanted,
): Promise<Json> {
  const { total, list } = await listScimUsers(tx.sql, connection.id, query);
  return listResponse(
    list.map((row) => renderedUser(connection, row, wanted).body),
    { startIndex: query.offset + 1, totalResults: total },
  );
}

/** @throws ScimFault `uniqueness` when the userName is, or was, anybody's: nobody is adopted. */
export async function createUser(
  tx: Tx,
  connection: Connection,
  hooks: DirectoryHooks,
  body: unknown,
): Promise<Rendered> {
  const pushed = readUser(readResource(body, USER));
  await lockAdministration(tx.sql);
  const { id } = await unique(() =>
    provisionUser(tx, connection.author, provisioned(connection, pushed)),
  );
  await insertScimUser(tx.sql, {
    user_id: id,
    connection_id: connection.id,
    external_id: pushed.externalId,
    resource: json(pushed.resource),
    created_at: tx.now,
    updated_at: tx.now,
  });
  await settle(tx, connection, hooks, id, pushed, []);
  return await getUser(tx, connection, id, ALL);
}

export async function replaceUser(
  tx: Tx,
  connection: Connection,
  hooks: DirectoryHooks,
  id: string,
  body: unknown,
  ifMatch: string | undefined,
): Promise<Rendered> {
  const pushed = readUser(readResource(body, USER));
  return await change(tx, connection, hooks, id, ifMatch, () => pushed);
}

export async function modifyUser(
  tx: Tx,
  connection: Connection,
  hooks: DirectoryHooks,
  id: string,
  body: unknown,
  ifMatch: string | undefined,
): Promise<Rendered> {
  const operations = readOperations(body);
  return await change(tx, connection, hooks, id, ifMatch, (row) => {
    const { schemas: _, id: __, meta: ___, ...before } = userResource(row, connection.base);
    return readUser(patchUser(before, operations, id));
  });
}

/** What he was is over, and stays taken: login, unix name and id. */
export async function deleteUser(
  tx: Tx,
  connection: Connection,
  hooks: DirectoryHooks,
  id: string,
  ifMatch: string | undefined,
): Promise<void> {
  await lockUser(tx, connection, id, ifMatch);
  const user = await findUser(tx.sql, id);
  if (user === undefined) throw noSuch('user');
  const admins = await countAdmins(tx.sql, tx.now);
  const line = await changeStatus(tx, connection.author, hooks, user, 'DELETED');
  await refuseLockout(tx, admins);
  await recordUserChange(tx, connection.author, user, [line]);
}

const ALL: Wanted = { only: null, without: [] };

async function lockUser(
  tx: Tx,
  connection: Connection,
  id: string,
  ifMatch: string | undefined,
): Promise<ScimUserRow> {
  if ((await findScimUser(tx.sql, connection.id, id)) === undefined) throw noSuch('user');
  await lockAdministration(tx.sql);
  await bumpRevisions(tx.sql, [id]);
  const row = await findScimUser(tx.sql, connection.id, id);
  if (row === undefined) throw noSuch('user');
  requireEtag(ifMatch, row.version);
  return row;
}

export function requireEtag(ifMatch: string | undefined, version: number): void {
  if (ifMatch === undefined || namesEtag(ifMatch, etagOf(version))) return;
  throw new ScimFault(412, undefined, 'It has changed meanwhile: read it again.');
}

async function change(
  tx: Tx,
  connection: Connection,
  hooks: DirectoryHooks,
  id: string,
  ifMatch: string | undefined,
  wish: (row: ScimUserRow) => PushedUser,
): Promise<Rendered> {
  const row = await lockUser(tx, connection, id, ifMatch);
  const pushed = wish(row);
  const user = await findUser(tx.sql, id);
  if (user === undefined) throw noSuch('user');
  const admins = await countAdmins(tx.sql, tx.now);
  const changes = await unique(() =>
    changeProvisioned(tx, connection.author, user, provisioned(connection, pushed)),
  );
  await updateScimUser(tx.sql, id, tx.now, {
    external_id: pushed.externalId,
    resource: json(pushed.resource),
  });
  await settle(tx, connection, hooks, id, pushed, changes);
  await refuseLockout(tx, admins);
  return await getUser(tx, connection, id, ALL);
}

/** Manager, status and groups by rule, and the event of all that changed. */
async function settle(
  tx: Tx,
  connection: Connection,
  hooks: DirectoryHooks,
  id: string,
  pushed: PushedUser,
  before: readonly string[],
): Promise<void> {
  const changes = [
    ...before,
    ...(await setManager(tx, connection, id, pushed.manager)),
    ...(await setActive(tx, connection, hooks, id, pushed.active)),
  ];
  const user = await findUser(tx.sql, id);
  if (user !== undefined) await recordUserChange(tx, connection.author, user, changes);
  await applyGroupRules(tx, connection.author, { user_ids: [id] });
}

/**
 * Only where the connection is authoritative for it, and only somebody whom it pushed and who
 * is active: a manager approves. Else there is none, and what needs one is not met.
 */
export async function setManager(
  tx: Tx,
  connection: Connection,
  id: string,
  manager: string | null,
): Promise<string[]> {
  if (!connection.authoritative.has('manager')) return [];
  const user = await findUser(tx.sql, id);
  if (user === undefined) return [];
  const [known] = manager === null ? [] : await scimUsersAmong(tx.sql, connection.id, [manager]);
  const found = known === undefined ? undefined : await findUser(tx.sql, known.id);
  const usable = found !== undefined && found.id !== id && found.status === 'ACTIVE';
  return await changeProfile(tx, connection.author, user, {
    manager_id: usable ? found.id : null,
  });
}

/** What an administrator disabled here stays disabled: the connection undoes only what it did. */
async function setActive(
  tx: Tx,
  connection: Connection,
  hooks: DirectoryHooks,
  id: string,
  active: boolean | undefined,
): Promise<string[]> {
  const row = await findScimUser(tx.sql, connection.id, id);
  const user = await findUser(tx.sql, id);
  if (active === undefined || row === undefined || user === undefined) return [];
  const { author } = connection;
  if (!active && row.inactive_since === null) {
    if (user.status !== 'ACTIVE') return [];
    await updateScimUser(tx.sql, id, tx.now, { inactive_since: tx.now });
    return [await changeStatus(tx, author, hooks, user, 'DISABLED')];
  }
  if (active && row.inactive_since !== null) {
    await updateScimUser(tx.sql, id, tx.now, { inactive_since: null });
    if (user.status === 'DISABLED') return [await changeStatus(tx, author, hooks, user, 'ACTIVE')];
  }
  return [];
}

/** Attributes only where the connection is authoritative for them: rules read them. */
export const provisioned = (connection: Connection, pushed: PushedUser) => ({
  login: pushed.login,
  name: pushed.name,
  email: pushed.email,
  attributes: Object.fromEntries(
    Object.entries(pushed.attributes).filter(([name]) => connection.authoritative.has(name)),
  ),
});

/** A login that is taken is what SCIM calls uniqueness. */
async function unique<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const isTaken =
      error instanceof Refusal && error.errors?.some((fault) => fault.code === 'taken');
    if (isTaken) throw notUnique('The userName belongs, or belonged, to another user.');
    throw error;
  }
}
