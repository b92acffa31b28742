import {
  type Change,
  isGroupName,
  isLogin,
  isPersonUnixName,
  type UserDocument,
} from '@postern/shared';
import { type Author, authorOf, type Caller, eventBy, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { addRevision, bumpRevisions } from '../platform/locks.ts';
import { isPlainText, plainTextFaults, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { changeOf } from './change.ts';
import { refuseMastered, refusePushed } from './service-masters.ts';
import { joinGroup, leaveGroup } from './service-memberships.ts';
import { EVERYONE } from './service-put-group.ts';
import { refuseField, resolveLogins } from './service-refer.ts';
import { recordUserChange } from './service-status.ts';
import { changedFields, changeProfile, userTextFaults } from './service-users.ts';
import {
  adminTemplates,
  endServiceOwner,
  findLookalikeUser,
  findUserByLogin,
  insertServiceOwner,
  insertUser,
  isVaultedUsername,
  liveServiceOwners,
  takenUnixName,
  type UserView,
  updateUserRow,
} from './store.ts';
import { findGroupByName, liveMemberships } from './store-groups.ts';
import { isFormerLogin } from './store-masters.ts';
import { namesClashingWith } from './template.ts';

/**
 * Creates the user, or changes what the document names, direct memberships included. His
 * revision, where he has one, is bumped, and the administration lock is held.
 */
export async function putUser(tx: Tx, caller: Caller, document: UserDocument): Promise<Change> {
  checkUser(document);
  const found = await findUserByLogin(tx.sql, document.login);
  if (found?.status === 'DELETED')
    throw new Refusal('state_conflict', 'This login belonged to a user who was deleted.', {
      next: 'Give the new user another login: what was deleted never comes back.',
    });
  if (found === undefined) {
    if (await isFormerLogin(tx.sql, document.login))
      throw new Refusal('state_conflict', 'This login was another user’s before.', {
        next: 'Give the new user another login: nobody becomes who somebody else was.',
      });
    const user = await createUser(tx, caller, document);
    await joinEveryone(tx, authorOf(caller), user, document.type ?? 'human');
    const joined = await syncMemberships(tx, caller, user, document.groups ?? []);
    return changeOf('User', document.login, true, joined);
  }
  const changes = await changeUser(tx, caller, found, document);
  await recordUserChange(tx, authorOf(caller), found, changes);
  const groups =
    document.groups === undefined ? [] : await syncMemberships(tx, caller, found, document.groups);
  return changeOf('User', document.login, false, [...changes, ...groups]);
}

function checkUser({ login, name, email, type, unix_name, attributes, owners }: UserDocument) {
  if (!isLogin(login)) refuseField('/login', 'login', 'is not usable as a login');
  if (unix_name !== undefined && !isPersonUnixName(unix_name))
    refuseField('/unix_name', 'unix_name', 'is not usable as the name of a person’s own account');
  if (owners !== undefined && type !== 'service')
    refuseField('/owners', 'human', 'only a service user has owners');
  refuseFaults([...userTextFaults({ name, email }), ...attributeFaults(attributes ?? {})]);
}

export const attributeFaults = (attributes: Readonly<Record<string, string | undefined>>) =>
  Object.entries(attributes).flatMap(([key, value]) => {
    const pointer = `/attributes/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    return plainTextFaults({ [pointer]: isPlainText(key) ? value || null : key });
  });

async function createUser(tx: Tx, caller: Caller, document: UserDocument) {
  const { login, name, email, type = 'human', unix_name, attributes } = document;
  if (unix_name !== undefined) await refuseTakenUnixName(tx, unix_name);
  await refuseLookalikeUser(tx, login);
  const user = { id: tx.ids.uuid(), name };
  await insertUser(tx.sql, {
    ...user,
    login,
    email: email ?? null,
    type,
    manager_id: null,
    manager_made_by: json([]),
    unix_name: unix_name ?? null,
    attributes: json(attributes ?? {}),
    created_at: tx.now,
  });
  await addRevision(tx.sql, user.id, 'user');
  const details = { login, type, unix_name: unix_name ?? null };
  await tx.audit(eventBy(caller, 'pam.user.create', [refTo('user', user)], details));
  await tx.signal({ kind: 'user', id: user.id });
  return user;
}

/** @throws Refusal when there is a user, or was, whose login people would take for this one */
async function refuseLookalikeUser(tx: Tx, login: string): Promise<void> {
  const other = await findLookalikeUser(tx.sql, login);
  if (other === undefined) return;
  const detail = `looks like the login of another user, ${other.login}`;
  throw new Refusal('state_conflict', `The login ${detail}.`, {
    next: 'Choose a login that nobody takes for that one.',
    errors: [{ pointer: '/login', code: 'lookalike', detail }],
  });
}

/** A name that logs in on servers is one person's and no vaulted account's, for good. */
async function refuseTakenUnixName(tx: Tx, unixName: string): Promise<void> {
  if ((await takenUnixName(tx.sql, [unixName])) !== undefined)
    refuseTaken('belongs, or belonged, to another user');
  if (await isVaultedUsername(tx.sql, unixName))
    refuseTaken('is the name of a vaulted account; whoever had it would log in as that');
  const clashing = namesClashingWith(unixName, await adminTemplates(tx.sql));
  if ((await takenUnixName(tx.sql, clashing)) !== undefined)
    refuseTaken('clashes with the account a server’s template makes of another user’s');
}

function refuseTaken(detail: string): never {
  throw new Refusal('state_conflict', `The unix name ${detail}.`, {
    errors: [{ pointer: '/unix_name', code: 'taken', detail }],
  });
}

async function changeUser(
  tx: Tx,
  caller: Caller,
  user: UserView,
  document: UserDocument,
): Promise<string[]> {
  const { name, email, type, unix_name, attributes } = document;
  if (type !== undefined && type !== user.type)
    refuseField('/type', 'immutable', `is ${user.type} and stays so`);
  if (unix_name !== undefined && user.unix_name !== null && unix_name !== user.unix_name)
    refuseField('/unix_name', 'immutable', `is ${user.unix_name} and stays so`);
  await refuseMastered(tx, user, [
    ...changedFields(user, { name, email }),
    ...changedAttributes(user.attributes, attributes),
  ]);
  const changes = await changeProfile(tx, authorOf(caller), user, { name, email });
  if (unix_name !== undefined && user.unix_name === null) {
    await refuseTakenUnixName(tx, unix_name);
    await updateUserRow(tx.sql, user.id, { unix_name });
    changes.push(`unix_name: none → ${unix_name}`);
  }
  if (attributes !== undefined && !sameAttributes(attributes, user.attributes)) {
    await updateUserRow(tx.sql, user.id, { attributes: json(attributes) });
    changes.push(`attributes: ${Object.keys(attributes).sort().join(', ') || 'none'}`);
  }
  return changes;
}

function changedAttributes(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>> | undefined,
): string[] {
  if (after === undefined) return [];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => before[key] !== after[key],
  );
}

export const sameAttributes = (
  a: Readonly<Record<string, string>>,
  b: Readonly<Record<string, string>>,
): boolean =>
  Object.keys(a).length === Object.keys(b).length &&
  Object.entries(a).every(([key, value]) => Object.hasOwn(b, key) && b[key] === value);

interface NamedUser {
  readonly id: string;
  readonly name: string;
}

export async function joinEveryone(
  tx: Tx,
  author: Author,
  user: NamedUser,
  type: string,
): Promise<void> {
  const everyone = type === 'human' ? await findGroupByName(tx.sql, EVERYONE) : undefined;
  if (everyone?.deleted_at === null)
    await joinGroup(tx, author, { group: everyone, user, source: 'direct' });
}

/** Direct memberships become exactly these; nobody is taken out of `everyone` by not naming it. */
async function syncMemberships(
  tx: Tx,
  caller: Caller,
  user: NamedUser,
  names: readonly string[],
): Promise<string[]> {
  const rows = await liveMemberships(tx.sql, tx.now, { user_id: user.id });
  const direct = rows.filter((row) => row.source === 'direct');
  const changes: string[] = [];
  for (const [index, name] of names.entries()) {
    if (direct.some((row) => row.group_name === name)) continue;
    const group = isGroupName(name) ? await findGroupByName(tx.sql, name) : undefined;
    if (group === undefined || group.deleted_at !== null)
      return refuseField(`/groups/${index}`, 'unknown_group', 'there is no such group');
    await refusePushed(tx, group);
    if (await joinGroup(tx, authorOf(caller), { group, user, source: 'direct' }))
      changes.push(`joins ${name}`);
  }
  const left = direct.filter(
    (row) => !names.includes(row.group_name) && row.group_name !== EVERYONE,
  );
  await leaveGroup(tx, authorOf(caller), left);
  return [...changes, ...left.map((row) => `leaves ${row.group_name}`)];
}

/** Sets the manager and a service user's owners: after all users are there. @returns what changed, a line each */
export async function linkUser(
  tx: Tx,
  caller: Caller,
  { login, manager, owners }: UserDocument,
): Promise<string[]> {
  const user = await findUserByLogin(tx.sql, login);
  if (user === undefined) throw new Error('a user is linked after he is made');
  const changes: string[] = [];
  if (manager !== undefined && manager !== user.manager_login) {
    const found = (await resolveLogins(tx, [manager], '/manager')).get(manager) ?? null;
    await refuseMastered(tx, user, changedFields(user, { manager_id: found }));
    changes.push(...(await changeProfile(tx, authorOf(caller), user, { manager_id: found })));
  }
  if (owners !== undefined) changes.push(...(await syncOwners(tx, user, owners)));
  await recordUserChange(tx, authorOf(caller), user, changes);
  return changes;
}

/** Who stands for a service user. Ended ownerships are kept: who owned it lately still counts as it. */
async function syncOwners(tx: Tx, user: UserView, owners: readonly string[]): Promise<string[]> {
  const held = await liveServiceOwners(tx.sql, user.id);
  const added = owners.filter((login) => !held.some((row) => row.login === login));
  const removed = held.filter((row) => !owners.includes(row.login));
  if (added.length + removed.length === 0) return [];
  const wanted = await resolveLogins(tx, added, '/owners');
  await bumpRevisions(tx.sql, [...wanted.values(), ...removed.map((row) => row.owner_id)]);
  for (const [login, owner_id] of wanted) {
    const owner = await findUserByLogin(tx.sql, login);
    if (owner?.type !== 'human' || owner.status !== 'ACTIVE')
      refuseField('/owners', 'not_a_person', `${login} is not an active person`);
    await insertServiceOwner(tx.sql, {
      id: tx.ids.uuid(),
      service_user_id: user.id,
      owner_id,
      created_at: tx.now,
    });
  }
  for (const row of removed) await endServiceOwner(tx.sql, row.id, tx.now);
  return [
    ...[...wanted.keys()].map((login) => `owner added: ${login}`),
    ...removed.map((row) => `owner removed: ${row.login}`),
  ];
}
