import type { Instant } from '@postern/shared';
import { SUCCESS } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { bumpRevisions, lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { refTo } from './event-by.ts';
import { findToken, findUser } from './store.ts';
import { findTokenView, insertLogin, markRevoked, setExpiry } from './store-tokens.ts';

export interface NewLogin {
  readonly user_id: string;
  readonly kind: 'login' | 'service' | 'workload';
  /** What the person is shown of it: plain text. */
  readonly name: string;
  /** Who stands behind it, when it is somebody else. */
  readonly issued_by: string | null;
  readonly expires_at: Instant;
}

/**
 * The row of a login, without which nothing issued under it opens anything. Whoever makes it
 * holds the user's revision lock and has seen that he is active.
 *
 * @returns its id
 */
export async function addLogin(tx: Tx, login: NewLogin): Promise<string> {
  const id = tx.ids.uuid();
  await insertLogin(tx.sql, { id, ...login, created_at: tx.now });
  return id;
}

/** Moves the end of a login that has not ended. */
export const extendLogin = (tx: Tx, id: string, expires_at: Instant): Promise<unknown> =>
  setExpiry(tx.sql, id, expires_at);

/** Whether the login is not over and its person active, under his revision lock from here on. */
export async function isLoginLive(tx: Tx, id: string): Promise<boolean> {
  const before = await findToken(tx.sql, id);
  if (before === undefined) return false;
  await lockShared(tx.sql, [before.user_id]);
  const login = await findToken(tx.sql, id);
  if (login === undefined || login.revoked_at !== null || login.expires_at <= tx.now) return false;
  const user = await findUser(tx.sql, login.user_id);
  return user?.status === 'ACTIVE';
}

/**
 * Ends a login at once, with everything that was issued under it.
 *
 * @param actor default: whose login it is
 * @returns false when it had ended before
 */
export async function endLogin(
  tx: Tx,
  id: string,
  why: {
    readonly reason: 'logout' | 'everywhere' | 'reused';
    readonly actor?: EventReference;
    readonly client_address: string | null;
  },
): Promise<boolean> {
  const found = await findTokenView(tx.sql, id);
  if (found === undefined) return false;
  await bumpRevisions(tx.sql, [found.user_id]);
  const login = await findTokenView(tx.sql, id);
  if (login === undefined || login.revoked_at !== null) return false;
  await markRevoked(tx.sql, id, tx.now);
  const user = refTo('user', { id: login.user_id, name: login.user_name });
  await tx.audit({
    type: 'pam.login.end',
    actor: why.actor ?? user,
    targets: [refTo('token', login), user],
    outcome: SUCCESS,
    ...(why.client_address !== null && { client_address: why.client_address }),
    details: { reason: why.reason },
  });
  await tx.signal({ kind: 'user', id: login.user_id });
  return true;
}
