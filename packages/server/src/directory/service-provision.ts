import { isLogin } from '@postern/shared';
import { type Author, eventFrom, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { addRevision } from '../platform/locks.ts';
import { refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { attributeFaults, joinEveryone, sameAttributes } from './service-put-user.ts';
import { changeProfile, userTextFaults } from './service-users.ts';
import {
  findLookalikeUser,
  findUserByLogin,
  insertUser,
  type UserView,
  updateUserRow,
} from './store.ts';
import { isFormerLogin, keepFormerLogin } from './store-masters.ts';

/** A person as another system says that he is. */
export interface Provisioned {
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
  /** Set exactly where named; undefined: taken away. Others stay. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

const taken = (login: string): Refusal =>
  new Refusal('state_conflict', `The login ${login} belongs, or belonged, to another user.`, {
    errors: [{ pointer: '/login', code: 'taken', detail: 'is taken' }],
  });

/** Whose login it looks like is not for the other system to know. */
const lookalike = (login: string): Refusal =>
  new Refusal('state_conflict', `The login ${login} looks like that of another user.`, {
    errors: [{ pointer: '/login', code: 'lookalike', detail: 'looks like another login' }],
  });

/**
 * Makes a person whom another system masters. Nobody who is here already becomes his, by
 * whatever name or address. The administration lock is held.
 */
export async function provisionUser(
  tx: Tx,
  author: Author,
  { login, name, email, attributes }: Provisioned,
  master: 'scim' | 'oidc' = 'scim',
): Promise<{ readonly id: string; readonly name: string }> {
  check({ login, name, email, attributes });
  if ((await findUserByLogin(tx.sql, login)) !== undefined || (await isFormerLogin(tx.sql, login)))
    throw taken(login);
  if ((await findLookalikeUser(tx.sql, login)) !== undefined) throw lookalike(login);
  const user = { id: tx.ids.uuid(), name };
  await insertUser(tx.sql, {
    ...user,
    login,
    email,
    type: 'human',
    manager_id: null,
    manager_made_by: json([]),
    unix_name: null,
    attributes: json(merged({}, attributes)),
    master,
    created_at: tx.now,
  });
  await addRevision(tx.sql, user.id, 'user');
  const details = { login, type: 'human', master };
  await tx.audit(eventFrom(author, 'pam.user.create', [refTo('user', user)], details));
  await tx.signal({ kind: 'user', id: user.id });
  await joinEveryone(tx, author, user, 'human');
  return user;
}

/** @returns what changed, a line each. His revision is bumped, and the administration lock is held. */
export async function changeProvisioned(
  tx: Tx,
  author: Author,
  user: UserView,
  { login, name, email, attributes }: Provisioned,
): Promise<string[]> {
  check({ login, name, email, attributes });
  const changes: string[] = [];
  if (login !== user.login) {
    const other = await findUserByLogin(tx.sql, login);
    if (other !== undefined || (await isFormerLogin(tx.sql, login, user.id))) throw taken(login);
    const alike = await findLookalikeUser(tx.sql, login);
    if (alike !== undefined && alike.id !== user.id) throw lookalike(login);
    await keepFormerLogin(tx.sql, user.login, user.id);
    await updateUserRow(tx.sql, user.id, { login });
    changes.push(`login: ${user.login} → ${login}`);
  }
  changes.push(...(await changeProfile(tx, author, user, { name, email })));
  const after = merged(user.attributes, attributes);
  if (!sameAttributes(after, user.attributes)) {
    await updateUserRow(tx.sql, user.id, { attributes: json(after) });
    changes.push(`attributes: ${Object.keys(after).sort().join(', ') || 'none'}`);
  }
  return changes;
}

function check({ login, name, email, attributes }: Provisioned): void {
  if (!isLogin(login))
    throw new Refusal('invalid_request', `userName is not usable as a login here.`, {
      errors: [{ pointer: '/userName', code: 'login', detail: 'is not usable as a login' }],
    });
  refuseFaults([...userTextFaults({ name, email }), ...attributeFaults(attributes)]);
}

const merged = (
  before: Readonly<Record<string, string>>,
  attributes: Provisioned['attributes'],
): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ ...before, ...attributes }).filter(
      (entry): entry is [string, string] => entry[1] !== undefined,
    ),
  );
