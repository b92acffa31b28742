import { findTeam } from '../directory/index.ts';
import { refTo } from '../identity/index.ts';
import { failure, SYSTEM } from '../platform/actor.ts';
import type { Tx } from '../platform/tx.ts';
import { type Credential, exposeCredential, type Keyring, open } from '../vault/index.ts';
import { findAccountById, newestSecret } from './store-accounts.ts';

export type OpenedCredential =
  /** Wipe it when it has been sent. */
  | { readonly ok: true; readonly credential: Credential; readonly version: number }
  /**
   * `sealed`: none is sealed for the server as it is; an admin must enter it again.
   * `mismatch`: what is stored does not belong here; the event of it is written.
   */
  | { readonly ok: false; readonly reason: 'no_account' | 'sealed' | 'mismatch' };

/**
 * The credential in the clear, for a session at its admission and for nothing else. The
 * caller holds the server's revision. It answers and does not throw, so that the caller can
 * commit the event of a mismatch: whoever rolls back on one loses it.
 */
export async function openCredential(
  tx: Tx,
  keyring: Keyring,
  accountId: string,
): Promise<OpenedCredential> {
  const account = await findAccountById(tx.sql, accountId);
  if (account === undefined) return { ok: false, reason: 'no_account' };
  const team = await findTeam(tx.sql);
  const newest = await newestSecret(tx.sql, accountId);
  const revision = account.identity_revision;
  if (team === undefined || newest?.server_identity_revision !== revision)
    return { ok: false, reason: 'sealed' };
  const opened = open(
    keyring,
    {
      purpose: 'account_secret',
      team: team.id,
      account_id: accountId,
      server_identity_revision: revision,
      version: newest.version,
    },
    newest.sealed,
  );
  if (opened.ok) {
    using secret = opened.secret;
    const credential = exposeCredential(secret);
    if (credential?.type === account.credential)
      return { ok: true, credential, version: newest.version };
  }
  await tx.audit({
    type: 'pam.server_account.secret.mismatch',
    actor: SYSTEM,
    targets: [
      refTo('server_account', { id: accountId, name: account.username }),
      refTo('server', { id: account.server_id, name: account.hostname }),
    ],
    outcome: failure(opened.ok ? 'wrong_type' : opened.reason),
    details: { version: newest.version, server_identity_revision: revision },
  });
  return { ok: false, reason: 'mismatch' };
}
