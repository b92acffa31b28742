import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { publicKeyOf } from './public-key.ts';
import { wireString, wireU32 } from './wire.ts';

/** A fresh key pair, in memory only. */
export function generateEd25519(): {
  readonly private: KeyObject;
  /** `ssh-ed25519 AAAA…`, without a comment. */
  readonly public_line: string;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return { private: privateKey, public_line: publicKeyOf(publicKey).line };
}

/**
 * An Ed25519 key as an unencrypted file of OpenSSH's PROTOCOL.key: the only form of this
 * kind of key that ssh2 reads. The text is the secret itself.
 * @throws TypeError when `key` is not a private Ed25519 key.
 */
export function toOpenSshPrivateKey(key: KeyObject): string {
  if (key.type !== 'private' || key.asymmetricKeyType !== 'ed25519') {
    throw new TypeError('not a private Ed25519 key');
  }
  const { d = '', x = '' } = key.export({ format: 'jwk' });
  const publicHalf = Buffer.from(x, 'base64url');
  const both = Buffer.concat([Buffer.from(d, 'base64url'), publicHalf]);
  const check = randomBytes(4);
  const fields = Buffer.concat([
    check,
    check,
    wireString('ssh-ed25519'),
    wireString(publicHalf),
    wireString(both),
    wireString(''),
  ]);
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0', 'latin1'),
    wireString('none'), // cipher
    wireString('none'), // key derivation
    wireString(''), // its options
    wireU32(1),
    wireString(publicKeyOf(key).blob),
    wireString(padded(fields)),
  ]);
  const lines = file.toString('base64').match(/.{1,70}/g) ?? [];
  return [
    '-----BEGIN OPENSSH PRIVATE KEY-----',
    ...lines,
    '-----END OPENSSH PRIVATE KEY-----',
    '',
  ].join('\n');
}

/** 1, 2, 3 … up to the cipher's block size, which is 8 for `none`. */
function padded(fields: Buffer): Buffer {
  const missing = (8 - (fields.length % 8)) % 8;
  return Buffer.concat([fields, Buffer.from(Array.from({ length: missing }, (_, i) => i + 1))]);
}
