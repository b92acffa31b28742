import type { Body } from '@postern/shared';
import type { CredentialHooks } from '../credentials/index.ts';
import { lockAdministration } from '../directory/index.ts';
import { authorOf, type Caller, eventBy, issuerFor, refTo } from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { withoutSlash } from './model.ts';
import { dropIdentity, findIdentity, findPerson, identityOf, insertIdentity } from './store.ts';

/**
 * Says who somebody is at the provider, instead of what was said before. Whoever links could
 * link an account of his own: what is logged in with it counts as issued by him.
 *
 * @throws Refusal `state_conflict` when it is somebody else's
 */
export async function linkIdentity(
  tx: Tx,
  caller: Caller,
  hooks: CredentialHooks,
  userId: string,
  { issuer: given, subject }: Body<'linkIdentity'>,
): Promise<void> {
  const user = await changing(tx, userId);
  if (user.type !== 'human' || user.status === 'DELETED')
    throw new Refusal('state_conflict', `${user.login} is nobody who logs in with a browser.`);
  const issuer = withoutSlash(given);
  const issued_by = await issuerFor(tx, caller, userId);
  const held = await findIdentity(tx.sql, { issuer, subject });
  if (held !== undefined && held.user_id !== userId)
    throw new Refusal('state_conflict', 'This identity is linked to another user.', {
      next: 'Unlink it there first, if it is this user’s.',
    });
  if (held !== undefined) return;
  // What was logged in with the one before ends with it.
  await hooks.endLogins(tx, authorOf(caller), userId);
  await dropIdentity(tx.sql, userId);
  await insertIdentity(tx.sql, {
    issuer,
    subject,
    user_id: userId,
    issued_by,
    masters: json([]),
    created_at: tx.now,
  });
  await tx.audit(eventBy(caller, 'pam.identity.link', [refTo('user', user)], { issuer, subject }));
  await sendLater(tx, [
    { to: userId, kind: 'identity_linked', request_id: null, body: { made_by: caller.name } },
  ]);
}

/** He logs in with the provider no more. Who was made with it stays, and is changed here now. */
export async function unlinkIdentity(
  tx: Tx,
  caller: Caller,
  hooks: CredentialHooks,
  userId: string,
): Promise<void> {
  const user = await changing(tx, userId);
  const held = await identityOf(tx.sql, userId);
  if (held === undefined) return;
  const { issuer, subject } = held;
  await dropIdentity(tx.sql, userId);
  await hooks.endLogins(tx, authorOf(caller), userId);
  await tx.audit(
    eventBy(caller, 'pam.identity.unlink', [refTo('user', user)], { issuer, subject }),
  );
}

/** Takes the locks under which who somebody is changes, and reads him. */
async function changing(tx: Tx, userId: string) {
  await lockAdministration(tx.sql);
  await bumpRevisions(tx.sql, [userId]);
  const user = await findPerson(tx.sql, userId);
  if (user === undefined) throw new Refusal('not_found', 'There is no such user.');
  return user;
}
