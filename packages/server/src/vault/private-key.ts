import { createPrivateKey, type KeyObject, sign, verify } from 'node:crypto';
import { type Parsed, type PublicKey, toOpenSshPrivateKey, toPublicKey } from '@postern/shared';
import { parseOpenSshKey } from './openssh-key.ts';

export type PrivateKeyReason =
  | 'not_a_private_key'
  | 'public_key_given'
  | 'encrypted_key'
  | 'unsupported_key'
  | 'weak_key'
  | 'damaged_key';

export interface PrivateKey {
  /** The key anew, in the form of its kind that ssh2 reads; comments and spelling are gone. */
  readonly text: string;
  readonly public_key: PublicKey;
}

const BLOCK = /^-----BEGIN ([A-Z ]+)-----\r?\n([\s\S]*?)\r?\n-----END \1-----$/;

/**
 * Reads one private key of an OpenSSH, PKCS #8, PKCS #1 or SEC 1 file and tries it: it signs,
 * its public half verifies that and is the one the file names. No passphrase is taken.
 */
export function parsePrivateKey(text: string): Parsed<PrivateKey, PrivateKeyReason> {
  const loaded = load(text.trim());
  if (!loaded.ok) return loaded;
  const { key, public_blob } = loaded.value;
  const half = toPublicKey(key);
  if (!half.ok) return refuse(half.reason === 'weak_key' ? 'weak_key' : 'unsupported_key');
  if (public_blob !== undefined && !half.value.blob.equals(public_blob))
    return refuse('damaged_key');
  if (!isUsable(key, half.value)) return refuse('damaged_key');
  return { ok: true, value: { text: write(key), public_key: half.value } };
}

function load(
  text: string,
): Parsed<{ readonly key: KeyObject; readonly public_blob?: Buffer }, PrivateKeyReason> {
  if (/^(ssh-|ecdsa-|sk-)|PUBLIC KEY-----/.test(text)) return refuse('public_key_given');
  if (/^PuTTY-User-Key-File/.test(text)) return refuse('not_a_private_key');
  const [, label, body = ''] = BLOCK.exec(text) ?? [];
  if (!label?.endsWith('PRIVATE KEY') || body.includes('-----')) return refuse('not_a_private_key');
  if (label.startsWith('ENCRYPTED') || body.includes('ENCRYPTED')) return refuse('encrypted_key');
  if (label === 'OPENSSH PRIVATE KEY') return loadOpenSsh(body.replace(/\s+/g, ''));
  try {
    return { ok: true, value: { key: createPrivateKey(text) } };
  } catch {
    return refuse('damaged_key');
  }
}

function loadOpenSsh(
  base64: string,
): Parsed<{ readonly key: KeyObject; readonly public_blob: Buffer }, PrivateKeyReason> {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.toString('base64') !== base64) return refuse('damaged_key');
  const parsed = parseOpenSshKey(bytes);
  bytes.fill(0);
  if (parsed.ok) return parsed;
  if (parsed.reason === 'encrypted') return refuse('encrypted_key');
  return refuse(parsed.reason === 'damaged' ? 'damaged_key' : 'unsupported_key');
}

/** A key whose parts do not belong together signs what its public half does not verify. */
function isUsable(key: KeyObject, half: PublicKey): boolean {
  const trial = Buffer.from('postern-key-trial-v1', 'latin1');
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha512';
  try {
    return verify(hash, trial, half.key, sign(hash, trial, key));
  } catch {
    return false;
  }
}

function write(key: KeyObject): string {
  if (key.asymmetricKeyType === 'ed25519') return toOpenSshPrivateKey(key);
  const type = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'sec1';
  return key.export({ format: 'pem', type }) as string;
}

function refuse(reason: PrivateKeyReason): {
  readonly ok: false;
  readonly reason: PrivateKeyReason;
} {
  return { ok: false, reason };
}
