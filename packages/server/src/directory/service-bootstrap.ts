import { plus, seconds } from '@postern/shared';
import { addToken } from '../identity/index.ts';
import { SUCCESS, SYSTEM } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { StartupError } from '../platform/errors.ts';
import { addRevision } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { createGroup, EVERYONE } from './service-put-group.ts';
import { insertUser, lockAdministration } from './store.ts';
import { insertMemberships, insertRole } from './store-groups.ts';
import { findTeam, insertTeam } from './store-team.ts';

const TOKEN_SECONDS = seconds(3600);

export interface TeamWish {
  /** Its name, as in every path. */
  readonly team: string;
  readonly demo: boolean;
  /** What `keyringCheck` gives: which master keys this database will need. */
  readonly keyring_check: unknown;
  /** Whether an operator waits for a token to make the first admin with. */
  readonly bootstrap_token: boolean;
}

export interface Team {
  readonly id: string;
  readonly name: string;
  readonly demo: boolean;
  readonly keyring_check: unknown;
  /** Of the account `bootstrap`; only when the team was made now and one was wished for. */
  readonly bootstrap_token: string | undefined;
}

/**
 * Makes the team on an empty database; else checks that this is its database.
 * @throws StartupError when it belongs to another team, or is a demo and should not be, or the reverse
 */
export async function bootstrapTeam(tx: Tx, wish: TeamWish): Promise<Team> {
  await lockAdministration(tx.sql);
  const found = await findTeam(tx.sql);
  if (found !== undefined) {
    refuseOtherTeam(found, wish);
    return { ...found, bootstrap_token: undefined };
  }
  const id = tx.ids.uuid();
  const { team: name, demo, keyring_check } = wish;
  const row = { id, name, demo };
  await insertTeam(tx.sql, { ...row, keyring_check: json(keyring_check), created_at: tx.now });
  await addRevision(tx.sql, id, 'policy');
  const everyone = await createGroup(tx, null, EVERYONE);
  const owners = await createGroup(tx, null, 'owners');
  await bind(tx, everyone.id, 'end_user');
  await bind(tx, owners.id, 'pam_admin');
  await tx.audit({
    type: 'pam.team.create',
    actor: SYSTEM,
    targets: [{ type: 'team', id, name }],
    outcome: SUCCESS,
    details: { demo, bootstrap_account: wish.bootstrap_token },
  });
  if (!wish.bootstrap_token) return { ...row, keyring_check, bootstrap_token: undefined };
  const bootstrap_token = await addBootstrapUser(tx, [everyone.id, owners.id]);
  return { ...row, keyring_check, bootstrap_token };
}

function refuseOtherTeam(found: { name: string; demo: boolean }, wish: TeamWish): void {
  if (found.name !== wish.team)
    throw new StartupError(`this database belongs to team ${found.name}, not ${wish.team}.`, {
      next: 'Set POSTERN_TEAM to its name, or use another database.',
    });
  if (found.demo && !wish.demo)
    throw new StartupError('this database is a demo: its keys and tokens were shown on a screen.', {
      next: 'Start with an empty database.',
    });
  if (!found.demo && wish.demo)
    throw new StartupError('this database is in earnest use and is not turned into a demo.', {
      next: 'Give the demo a data directory of its own.',
    });
}

const bind = (tx: Tx, group_id: string, role: 'end_user' | 'pam_admin'): Promise<unknown> =>
  insertRole(tx.sql, {
    id: tx.ids.uuid(),
    group_id,
    role,
    created_by: null,
    created_at: tx.now,
  });

/** An account of nobody, with one token of an hour: it makes the first admin, who then disables it. */
async function addBootstrapUser(tx: Tx, groups: readonly string[]): Promise<string> {
  const user = { id: tx.ids.uuid(), name: 'Bootstrap' };
  await insertUser(tx.sql, {
    ...user,
    login: 'bootstrap',
    email: null,
    type: 'service',
    manager_id: null,
    manager_made_by: json([]),
    unix_name: null,
    attributes: json({}),
    created_at: tx.now,
  });
  await addRevision(tx.sql, user.id, 'user');
  for (const group_id of groups)
    await insertMemberships(tx.sql, [
      {
        id: tx.ids.uuid(),
        group_id,
        user_id: user.id,
        source: 'direct',
        request_id: null,
        made_by: json([]),
        created_at: tx.now,
        expires_at: null,
      },
    ]);
  const made = await addToken(tx, {
    user_id: user.id,
    name: 'bootstrap',
    issued_by: null,
    expires_at: plus(tx.now, TOKEN_SECONDS),
  });
  await tx.audit({
    type: 'pam.token.create',
    actor: SYSTEM,
    targets: [
      { type: 'token', id: made.id, name: 'bootstrap' },
      { type: 'user', id: user.id, name: user.name },
    ],
    outcome: SUCCESS,
  });
  return made.token;
}
