import type { Tx } from '../platform/tx.ts';
import { type Keyring, open, Secret, seal } from '../vault/index.ts';
import { signingKeyContext } from './keys.ts';
import { findKey, keepKey } from './store.ts';

const PURPOSE = 'oidc';

/**
 * The key that signs ID tokens: one for all replicas, sealed in the vault.
 *
 * @param fresh a private JWK, for when there is none yet
 * @throws Error when what is kept does not open: no other key is put in its place
 */
export async function signingKey(
  tx: Tx,
  { team, keyring }: { readonly team: string; readonly keyring: Keyring },
  fresh: string,
): Promise<Record<string, unknown>> {
  const context = signingKeyContext(team);
  const kept =
    (await findKey(tx.sql, PURPOSE)) ??
    (await keepKey(
      tx.sql,
      PURPOSE,
      seal(keyring, context, Secret.of(fresh), tx.ids.random),
      tx.now,
    ));
  const opened = open(keyring, context, kept);
  if (!opened.ok) throw new Error(`the key that signs ID tokens does not open: ${opened.reason}`);
  return JSON.parse(opened.secret.expose().toString('utf8')) as Record<string, unknown>;
}
