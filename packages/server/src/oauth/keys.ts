import { hkdfSync } from 'node:crypto';
import type { Keyring, SealContext } from '../vault/index.ts';

/** What the authorization server derives from the vault: the same in every replica. */
export interface OauthKeys {
  /** Sign cookies; the first signs, all of them are believed. */
  readonly cookies: readonly string[];
  /** Under which user codes are hashed. */
  readonly user_codes: Buffer;
}

export function oauthKeys(keyring: Keyring): OauthKeys {
  const ids = [keyring.active_id, ...keyring.key_ids.filter((id) => id !== keyring.active_id)];
  const derived = (id: string, use: string): Buffer => {
    const key = keyring.purposeKey(id, 'cookie');
    if (key === undefined) throw new Error('a master key is not in its keyring');
    return Buffer.from(hkdfSync('sha256', key, '', `postern oauth ${use}`, 32));
  };
  return {
    cookies: ids.map((id) => derived(id, 'cookies').toString('base64url')),
    user_codes: derived(keyring.active_id, 'user codes'),
  };
}

/** What the key that signs ID tokens belongs to. */
export const signingKeyContext = (team: string): SealContext => ({
  purpose: 'oidc',
  team,
  version: 1,
  subject: 'id_token',
});
