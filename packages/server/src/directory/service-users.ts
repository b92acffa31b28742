import { type Body, toRfc3339, type User, type WhoAmI } from '@postern/shared';
import { type Caller, eventBy, makersOf, refTo, revokeTokensOf } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { isPlainText, plainTextFaults, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { leaveGroup } from './service-groups.ts';
import { refuseLockout } from './service-lockout.ts';
import { mayBecome, type UserStatus } from './status.ts';
import {
  findUser,
  listUsers as listUserRows,
  lockAdministration,
  type UserView,
  updateUserRow,
} from './store.ts';
import { countAdmins, liveMemberships, membershipsOf } from './store-groups.ts';

/** What other features do when a user is disabled or deleted; given by deps.ts, so that no cycle arises. */
export interface DirectoryHooks {
  /**
   * Cancels his pending requests and ends his approvals and sessions. His revision row is
   * locked, his status is written and his tokens are revoked already.
   */
  userDisabled(tx: Tx, userId: string, caller: Caller): Promise<void>;
}

export async function listUsers(
  tx: Tx,
  query: PageQuery & { readonly login?: string | undefined },
): Promise<{ readonly list: User[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  if (query.login !== undefined && !isPlainText(query.login)) return { list: [] };
  const cut = cutPage(await listUserRows(tx.sql, { ...page, login: query.login }), page);
  return { ...cut, list: cut.list.map(toUser) };
}

const toUser = (row: UserView): User => ({
  id: row.id,
  login: row.login,
  name: row.name,
  email: row.email,
  type: row.type,
  status: row.status,
  manager: row.manager_id === null ? null : { id: row.manager_id, name: row.manager_name ?? '' },
  unix_name: row.unix_name,
  attributes: row.attributes,
  created_at: toRfc3339(row.created_at),
});

/** Changes a user. Whoever is no longer active loses tokens, requests, approvals and sessions with it. */
export async function updateUser(
  tx: Tx,
  caller: Caller,
  hooks: DirectoryHooks,
  id: string,
  patch: Body<'updateUser'>,
): Promise<User> {
  refuseFaults(userTextFaults(patch));
  const user = await lockUser(tx, id);
  const admins = await countAdmins(tx.sql, tx.now);
  const changes = await changeProfile(tx, caller, user, patch);
  if (patch.status !== undefined && patch.status !== user.status)
    changes.push(await changeStatus(tx, caller, hooks, user, patch.status));
  await refuseLockout(tx, admins);
  await recordUserChange(tx, caller, user, changes);
  return toUser((await findUser(tx.sql, id)) as UserView);
}

/** Takes the locks under which a user is changed, and reads him. */
async function lockUser(tx: Tx, id: string): Promise<UserView> {
  await lockAdministration(tx.sql);
  await bumpRevisions(tx.sql, [id]);
  const user = await findUser(tx.sql, id);
  if (user === undefined) throw new Refusal('not_found', 'There is no such user.');
  return user;
}

export const userTextFaults = (
  fields: { readonly name?: string | undefined; readonly email?: string | null | undefined },
  at = '',
) => [
  ...plainTextFaults({ [`${at}/name`]: fields.name, [`${at}/email`]: fields.email }),
  ...(fields.email == null || /^[^\s@]{1,64}@[^\s@]+$/.test(fields.email)
    ? []
    : [{ pointer: `${at}/email`, code: 'email', detail: 'must be an e-mail address' }]),
];

export interface Profile {
  readonly name?: string | undefined;
  readonly email?: string | null | undefined;
  readonly manager_id?: string | null | undefined;
}

/** @returns what changed, a line each. The user's revision is bumped already. */
export async function changeProfile(
  tx: Tx,
  caller: Caller,
  user: UserView,
  profile: Profile,
): Promise<string[]> {
  const { name, email, manager_id } = profile;
  const changes: string[] = [];
  if (user.status === 'DELETED' && [name, email, manager_id].some((value) => value !== undefined))
    throw new Refusal('state_conflict', 'The user is deleted and is not changed any more.');
  if (name !== undefined && name !== user.name) {
    await updateUserRow(tx.sql, user.id, { name });
    changes.push(`name: ${user.name} → ${name}`);
  }
  if (email !== undefined && email !== user.email) {
    await updateUserRow(tx.sql, user.id, { email });
    changes.push(`email: ${user.email ?? 'none'} → ${email ?? 'none'}`);
  }
  if (manager_id !== undefined && manager_id !== user.manager_id)
    changes.push(await changeManager(tx, caller, user, manager_id));
  return changes;
}

/** Who set the manager is kept with it: an approver the requester made himself does not count. */
async function changeManager(
  tx: Tx,
  caller: Caller,
  user: UserView,
  managerId: string | null,
): Promise<string> {
  const manager = managerId === null ? null : await findUser(tx.sql, managerId);
  if (manager === undefined)
    throw new Refusal('invalid_request', 'There is no such manager.', {
      errors: [{ pointer: '/manager_id', code: 'unknown_user', detail: 'there is no such user' }],
    });
  if (manager?.id === user.id)
    throw new Refusal('invalid_request', 'Nobody is his own manager.', {
      errors: [{ pointer: '/manager_id', code: 'self', detail: 'must be somebody else' }],
    });
  if (manager && (manager.type !== 'human' || manager.status !== 'ACTIVE'))
    throw new Refusal('state_conflict', 'A manager must be an active person.', {
      errors: [{ pointer: '/manager_id', code: 'not_active', detail: 'must be an active person' }],
    });
  await updateUserRow(tx.sql, user.id, {
    manager_id: managerId,
    manager_made_by: json(makersOf(caller)),
    manager_made_at: tx.now,
  });
  return `manager: ${user.manager_login ?? 'none'} → ${manager?.login ?? 'none'}`;
}

async function changeStatus(
  tx: Tx,
  caller: Caller,
  hooks: DirectoryHooks,
  user: UserView,
  status: UserStatus,
): Promise<string> {
  if (!mayBecome(user.status, status))
    throw new Refusal('state_conflict', `A user who is ${user.status} cannot become ${status}.`);
  await updateUserRow(tx.sql, user.id, { status });
  if (status !== 'ACTIVE') {
    await revokeTokensOf(tx, caller, user);
    await hooks.userDisabled(tx, user.id, caller);
  }
  // Login and unix name stay taken; what they opened is gone.
  if (status === 'DELETED')
    await leaveGroup(tx, caller, await liveMemberships(tx.sql, tx.now, { user_id: user.id }));
  return `status: ${user.status} → ${status}`;
}

export async function recordUserChange(
  tx: Tx,
  caller: Caller,
  user: { readonly id: string; readonly name: string },
  changes: readonly string[],
): Promise<void> {
  if (changes.length === 0) return;
  await tx.audit(eventBy(caller, 'pam.user.update', [refTo('user', user)], { changes }));
  await tx.signal({ kind: 'user', id: user.id });
}

/** Who the caller is, for himself. */
export async function whoami(tx: Tx, caller: Caller, team: string): Promise<WhoAmI> {
  const user = await findUser(tx.sql, caller.user_id);
  if (user === undefined) throw new Refusal('unauthenticated', 'This user is gone.');
  const groups = await membershipsOf(tx.sql, user.id, tx.now);
  const issuer =
    caller.token_issued_by === null ? null : await findUser(tx.sql, caller.token_issued_by);
  return {
    user: toUser(user),
    team,
    roles: [...caller.roles].sort(),
    groups: groups.map((group) => ({
      id: group.group_id,
      name: group.name,
      until: group.valid_until === null ? null : toRfc3339(group.valid_until),
    })),
    token: {
      id: caller.token_id,
      expires_at: toRfc3339(caller.token_expires_at),
      issued_by: issuer ? { id: issuer.id, name: issuer.name } : null,
    },
  };
}
