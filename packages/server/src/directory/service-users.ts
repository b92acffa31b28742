import { type Body, toRfc3339, type User, type WhoAmI } from '@postern/shared';
import { type Author, authorOf, type Caller } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { isPlainText, plainTextFaults, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { refuseLockout } from './service-lockout.ts';
import { refuseInactive, refuseMastered } from './service-masters.ts';
import { applyGroupRules } from './service-rules.ts';
import { changeStatus, type DirectoryHooks, recordUserChange } from './service-status.ts';
import {
  findUser,
  listUsers as listUserRows,
  lockAdministration,
  type UserView,
  updateUserRow,
} from './store.ts';
import { countAdmins, membershipsOf } from './store-groups.ts';

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
  await refuseMastered(tx, user, changedFields(user, patch));
  const author = authorOf(caller);
  const changes = await changeProfile(tx, author, user, patch);
  if (patch.status === 'ACTIVE' && user.status !== 'ACTIVE') await refuseInactive(tx, user);
  if (patch.status !== undefined && patch.status !== user.status)
    changes.push(await changeStatus(tx, author, hooks, user, patch.status));
  await applyGroupRules(tx, author, { user_ids: [id] });
  await refuseLockout(tx, admins);
  await recordUserChange(tx, author, user, changes);
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

/** Which of these would change, by the names that masters are asked by. */
export const changedFields = (user: UserView, { name, email, manager_id }: Profile): string[] => [
  ...(name === undefined || name === user.name ? [] : ['name']),
  ...(email === undefined || email === user.email ? [] : ['email']),
  ...(manager_id === undefined || manager_id === user.manager_id ? [] : ['manager']),
];

/** @returns what changed, a line each. The user's revision is bumped already. */
export async function changeProfile(
  tx: Tx,
  author: Author,
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
    changes.push(await changeManager(tx, author, user, manager_id));
  return changes;
}

/** Who set the manager is kept with it: an approver the requester made himself does not count. */
async function changeManager(
  tx: Tx,
  author: Author,
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
    manager_made_by: json(author.made_by),
    manager_made_at: tx.now,
  });
  return `manager: ${user.manager_login ?? 'none'} → ${manager?.login ?? 'none'}`;
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
