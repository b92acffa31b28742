import { type Instant, plus, seconds, toRfc3339 } from '@postern/shared';
import {
  type Author,
  authorOf,
  type Caller,
  eventBy,
  eventFrom,
  issuerFor,
  refTo,
} from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { userRef } from '../platform/actor.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import type { Keyring } from '../vault/index.ts';
import { hashOfInvitation, INVITATION_BYTES, makeInvitation } from './invitation.ts';
import type { PasswordOwner } from './password.ts';
import { setPassword } from './service-passwords.ts';
import {
  dropInvitation,
  dropInvitationsAround,
  dropTotp,
  findInvitation,
  findUser,
  markPasswordIssued,
  putInvitation,
} from './store.ts';
import { dropPasskeysOf } from './store-passkeys.ts';

const INVITATION_LIFE = seconds(24 * 3_600);

/** What other features do when what somebody logs in with was changed; given by deps.ts. */
export interface CredentialHooks {
  /** Ends every login of the person. His revision is bumped. */
  endLogins(tx: Tx, author: Pick<Author, 'actor'>, userId: string): Promise<void>;
}

/**
 * The code with which somebody sets his password, the first or another one. Whoever makes it
 * saw it: a password that is set with it counts as issued by him. His second factors stay.
 */
export async function createInvitation(
  tx: Tx,
  caller: Caller,
  userId: string,
): Promise<{ readonly code: string; readonly expires_at: Instant }> {
  const user = await changing(tx, userId);
  const issued_by = await issuerFor(tx, caller, user.id);
  const { code, hash } = makeInvitation(tx.ids.random(INVITATION_BYTES));
  const id = tx.ids.uuid();
  const expires_at = plus(tx.now, INVITATION_LIFE);
  await putInvitation(tx.sql, {
    user_id: user.id,
    id,
    hash,
    issued_by,
    created_at: tx.now,
    expires_at,
  });
  const until = toRfc3339(expires_at);
  await tx.audit(
    eventBy(
      caller,
      'pam.invitation.create',
      [refTo('invitation', { id, name: user.login }), refTo('user', user)],
      { expires_at: until },
    ),
  );
  await tell(tx, user.id, 'invitation_made', { made_by: caller.name, expires_at: until });
  return { code, expires_at };
}

/**
 * Removes somebody's authenticator app and passkeys, and ends his logins: he has lost them.
 * Nobody does it to himself: on his account page he shows that he has one of them. Until he
 * logs in otherwise, what is left, his password, counts as issued by whoever did it.
 */
export async function resetFactors(
  tx: Tx,
  caller: Caller,
  hooks: CredentialHooks,
  userId: string,
): Promise<void> {
  if (userId === caller.user_id)
    throw new Refusal('not_permitted', 'Nobody resets his own second factors.', {
      next: 'Remove them on your account page, or ask another pam_admin.',
    });
  const user = await changing(tx, userId);
  const issued_by = await issuerFor(tx, caller, user.id);
  const totp = await dropTotp(tx.sql, user.id);
  const passkeys = await dropPasskeysOf(tx.sql, user.id);
  if (issued_by !== null) await markPasswordIssued(tx.sql, user.id, issued_by);
  await hooks.endLogins(tx, authorOf(caller), user.id);
  await tx.audit(
    eventBy(caller, 'user.mfa.factor.reset_all', [refTo('user', user)], { totp, passkeys }),
  );
  await tell(tx, user.id, 'factors_reset', { made_by: caller.name });
}

const tell = (
  tx: Tx,
  to: string,
  kind: 'invitation_made' | 'factors_reset' | 'password_set',
  body: Readonly<Record<string, string>>,
): Promise<void> => sendLater(tx, [{ to, kind, request_id: null, body }]);

/** Takes the lock under which his credentials are changed, and reads him. */
async function changing(tx: Tx, userId: string) {
  await bumpRevisions(tx.sql, [userId]);
  const user = await findUser(tx.sql, userId);
  if (user === undefined) throw new Refusal('not_found', 'There is no such user.');
  if (user.type !== 'human')
    throw new Refusal('state_conflict', `${user.login} is a service user and has no password.`, {
      next: 'Make a token for it: sft-admin tokens create --user LOGIN',
    });
  if (user.status !== 'ACTIVE')
    throw new Refusal('state_conflict', `${user.login} is not active and cannot log in.`, {
      next: 'Activate the user first.',
    });
  return user;
}

/** Whose invitation it is; undefined: unknown, used, over, or the person is not active. */
export async function viewInvitation(
  tx: Tx,
  code: string,
): Promise<(PasswordOwner & { readonly user_id: string }) | undefined> {
  const invitation = await liveInvitation(tx, code);
  if (invitation === undefined) return undefined;
  const user = await findUser(tx.sql, invitation.user_id);
  if (user?.status !== 'ACTIVE') return undefined;
  return { user_id: user.id, login: user.login, name: user.name, email: user.email };
}

const liveInvitation = async (tx: Tx, code: string) => {
  const hash = hashOfInvitation(code);
  return hash === undefined ? undefined : await findInvitation(tx.sql, hash, tx.now);
};

/**
 * Sets the password with an invitation, which is used up, and ends what was logged in with the
 * one before it.
 *
 * @param hash of the password, made before the transaction
 * @returns false: it is not valid any more
 */
export async function acceptInvitation(
  tx: Tx,
  world: { readonly keyring: Keyring; readonly hooks: CredentialHooks },
  { code, hash }: { readonly code: string; readonly hash: string },
): Promise<boolean> {
  const seen = await liveInvitation(tx, code);
  if (seen === undefined) return false;
  await bumpRevisions(tx.sql, [seen.user_id]);
  // Again, under the lock: another one may have been made, or this one used.
  const invitation = await liveInvitation(tx, code);
  const user = await findUser(tx.sql, seen.user_id);
  if (invitation === undefined || user?.status !== 'ACTIVE') return false;
  await dropInvitation(tx.sql, user.id);
  const { issued_by } = invitation;
  await changePassword(tx, world, user, { hash, issued_by, details: { invited: true } });
  return true;
}

/** As the person himself, logged in and with a fresh proof; or by an invitation. */
export async function changePassword(
  tx: Tx,
  { keyring, hooks }: { readonly keyring: Keyring; readonly hooks: CredentialHooks },
  user: { readonly id: string; readonly name: string },
  change: {
    readonly hash: string;
    readonly issued_by: string | null;
    readonly details?: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  const { hash, issued_by, details = {} } = change;
  await setPassword(tx, keyring, { user_id: user.id, hash, issued_by });
  // A code that was made before would take the new password away again.
  await dropInvitation(tx.sql, user.id);
  const actor = userRef({ user_id: user.id, name: user.name });
  await hooks.endLogins(tx, { actor }, user.id);
  await tx.audit(
    eventFrom({ actor }, 'user.account.update_password', [refTo('user', user)], {
      ...details,
      ...(issued_by === null ? {} : { issued_by }),
    }),
  );
  await tell(tx, user.id, 'password_set', {});
}

/** What a user who is disabled had in hand, and what he gave to others: over. */
export const endInvitationsAround = async (tx: Tx, userId: string): Promise<void> => {
  await dropInvitationsAround(tx.sql, userId);
};
