import { type Author, eventFrom, refTo, revokeTokensOf } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { leaveGroup } from './service-memberships.ts';
import { mayBecome, type UserStatus } from './status.ts';
import { updateUserRow } from './store.ts';
import { liveMemberships } from './store-groups.ts';

/** What other features do when a user is disabled or deleted; given by deps.ts, so that no cycle arises. */
export interface DirectoryHooks {
  /**
   * Cancels his pending requests and ends his approvals and sessions. His revision row is
   * locked, his status is written and his tokens are revoked already.
   */
  userDisabled(tx: Tx, userId: string, author: Pick<Author, 'actor'>): Promise<void>;
}

/**
 * The one way for a user to stop being active, whoever says so, and to become it again. His
 * revision is bumped, and the administration lock is held.
 *
 * @returns what changed, as a line
 */
export async function changeStatus(
  tx: Tx,
  author: Pick<Author, 'actor'>,
  hooks: DirectoryHooks,
  user: { readonly id: string; readonly name: string; readonly status: UserStatus },
  status: UserStatus,
): Promise<string> {
  if (!mayBecome(user.status, status))
    throw new Refusal('state_conflict', `A user who is ${user.status} cannot become ${status}.`);
  await updateUserRow(tx.sql, user.id, { status });
  if (status !== 'ACTIVE') {
    await revokeTokensOf(tx, author, user);
    await hooks.userDisabled(tx, user.id, author);
  }
  // Login and unix name stay taken; what they opened is gone.
  if (status === 'DELETED')
    await leaveGroup(tx, author, await liveMemberships(tx.sql, tx.now, { user_id: user.id }));
  return `status: ${user.status} → ${status}`;
}

export async function recordUserChange(
  tx: Tx,
  author: Pick<Author, 'actor'>,
  user: { readonly id: string; readonly name: string },
  changes: readonly string[],
): Promise<void> {
  if (changes.length === 0) return;
  await tx.audit(eventFrom(author, 'pam.user.update', [refTo('user', user)], { changes }));
  await tx.signal({ kind: 'user', id: user.id });
}
