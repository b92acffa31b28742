import { findTeam } from '../directory/index.ts';
import { json } from '../platform/columns.ts';
import type { Tx } from '../platform/tx.ts';
import { type Keyring, open, Secret, seal } from '../vault/index.ts';
import type { PasswordOwner } from './password.ts';
import { passwordSealedFor } from './seal.ts';
import { findPassword, findUser, putPassword } from './store.ts';

export interface KeptPassword {
  /** What the hasher compares with. */
  readonly hash: string;
  /** Of which setting: whoever compares outside of the transaction asks for it again afterwards. */
  readonly version: number;
  /** Who knew it, or could have, besides the person. */
  readonly issued_by: string | null;
}

export async function teamOf(tx: Tx): Promise<{ readonly id: string; readonly name: string }> {
  const team = await findTeam(tx.sql);
  if (team === undefined) throw new Error('the team is made at the first start');
  return team;
}

/**
 * @returns undefined: none was set, or what stands there was not sealed for this person; then
 * nothing that he types is right.
 */
export async function readKeptPassword(
  tx: Tx,
  keyring: Keyring,
  userId: string,
): Promise<KeptPassword | undefined> {
  const row = await findPassword(tx.sql, userId);
  if (row === undefined) return undefined;
  const team = await teamOf(tx);
  const opened = open(keyring, passwordSealedFor(team.id, row), row.sealed);
  if (!opened.ok) return undefined;
  using secret = opened.secret;
  const hash = secret.expose().toString('utf8');
  return { hash, version: row.version, issued_by: row.issued_by };
}

/** Whether the password is the one of that setting still. Whoever asks holds the user's lock. */
export async function isPasswordVersion(tx: Tx, userId: string, version: number): Promise<boolean> {
  return (await findPassword(tx.sql, userId))?.version === version;
}

/**
 * Sets a password. The caller has bumped the user's revision, has read it with `readPassword`
 * and has hashed it before the transaction.
 */
export async function setPassword(
  tx: Tx,
  keyring: Keyring,
  set: { readonly user_id: string; readonly hash: string; readonly issued_by: string | null },
): Promise<void> {
  const { user_id, hash, issued_by } = set;
  const version = ((await findPassword(tx.sql, user_id))?.version ?? 0) + 1;
  const team = await teamOf(tx);
  using secret = Secret.of(hash);
  const context = passwordSealedFor(team.id, { user_id, version });
  const sealed = json(seal(keyring, context, secret, tx.ids.random));
  await putPassword(tx.sql, { user_id, sealed, version, issued_by, set_at: tx.now });
}

/** Of whom a chosen password must not be made. */
export const passwordOwner = async (tx: Tx, userId: string): Promise<PasswordOwner | undefined> =>
  await findUser(tx.sql, userId);
