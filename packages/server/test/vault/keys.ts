import { createHash, type KeyObject, randomBytes } from 'node:crypto';
import { createKeyring, type Keyring, parseMasterKey } from '../../src/vault/keyring.ts';

/** A master key that is the same in every run. */
export function masterKey(name: string): KeyObject {
  const key = parseMasterKey(createHash('sha256').update(name).digest('base64url'));
  if (!key.ok) throw new Error(key.reason);
  return key.value;
}

export function keyringOf(...names: string[]): Keyring {
  const keyring = createKeyring(names.map(masterKey));
  if (!keyring.ok) throw new Error(keyring.reason);
  return keyring.value;
}

export const random = (bytes: number): Buffer => randomBytes(bytes);
