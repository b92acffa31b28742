import type { SealKey } from './login-key.ts';

/** The secrets of a login, sealed with AES-256-GCM under a key that is in the keychain. */
export interface Sealed {
  /** Which key: the account of its item. */
  readonly key: string;
  readonly nonce: string;
  /** Followed by its tag of 16 bytes. */
  readonly data: string;
}

const { createCipheriv, createDecipheriv, randomBytes } = process.getBuiltinModule('node:crypto');
const GCM = 'aes-256-gcm';
const TAG = 16;
const TEXT = 'base64url';

/**
 * @param bound what the secrets belong to; they open with nothing else. A key seals a few
 *   hundred times at most, each under a random nonce of 96 bits.
 */
export function seal(key: SealKey, bound: string, text: string): Sealed {
  const nonce = randomBytes(12);
  const cipher = createCipheriv(GCM, Buffer.from(key.secret, TEXT), nonce);
  cipher.setAAD(Buffer.from(bound));
  const parts = [cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()];
  return { key: key.id, nonce: nonce.toString(TEXT), data: Buffer.concat(parts).toString(TEXT) };
}

/** @returns undefined when it does not open: another key, or something was changed. */
export function unseal(key: SealKey, bound: string, { nonce, data }: Sealed): string | undefined {
  const bytes = Buffer.from(data, TEXT);
  try {
    const secret = Buffer.from(key.secret, TEXT);
    const cipher = createDecipheriv(GCM, secret, Buffer.from(nonce, TEXT), { authTagLength: TAG });
    cipher.setAAD(Buffer.from(bound));
    cipher.setAuthTag(bytes.subarray(-TAG));
    return Buffer.concat([cipher.update(bytes.subarray(0, -TAG)), cipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}
