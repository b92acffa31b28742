import type { KeyObject } from 'node:crypto';
import { publicKeyOf, toOpenSshPrivateKey } from '@postern/shared';
import { utils } from './ssh2.ts';
import type { HostKey } from './world.ts';

/** @param key a private Ed25519 key. */
export function hostKeyFrom(key: KeyObject): HostKey {
  const parsed = utils.parseKey(toOpenSshPrivateKey(key));
  if (parsed instanceof Error) throw parsed;
  const { blob, line } = publicKeyOf(key);
  return { parsed, blob, line };
}
