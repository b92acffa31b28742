import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto';
import type { Parsed } from '@postern/shared';
import canonicalize from 'canonicalize';
import type { Keyring, Purpose } from './keyring.ts';
import { Secret } from './secret.ts';

/** What a secret belongs to. It opens only for exactly this; ids, never names. */
export type SealContext =
  | {
      readonly purpose: 'account_secret';
      readonly team: string;
      readonly account_id: string;
      readonly server_identity_revision: number;
      readonly version: number;
    }
  | {
      readonly purpose: Exclude<Purpose, 'account_secret'>;
      readonly team: string;
      readonly version: number;
      /** What it belongs to, where there are several of the purpose. */
      readonly subject?: string;
    };

/** As stored: bytes are base64url, each GCM tag stands at the end of its ciphertext. */
export interface Sealed {
  readonly key_id: string;
  readonly wrapped_key: string;
  readonly wrap_nonce: string;
  readonly nonce: string;
  readonly ciphertext: string;
}

export type OpenReason =
  /** Not of the form {@link seal} gives. */
  | 'malformed'
  /** Sealed under a master key that is not in the keyring. */
  | 'unknown_key'
  /** Altered, or moved here from another account, version, revision, team or purpose. */
  | 'mismatch';

/** Exactly so many bytes from the system's generator (`tx.ids.random`). */
export type RandomBytes = (bytes: number) => Buffer;

const ALGORITHM = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MAX_SECRET_BYTES = 65_536;

/**
 * Encrypts under a fresh data key, and that key under the active master key's key for the
 * purpose. A data key encrypts once, so its nonce cannot repeat; wrapping uses 96-bit random
 * nonces, good for 2^32 secrets per master key and purpose (NIST SP 800-38D, 8.3).
 * @throws RangeError for a context that has no one encoding, or a secret beyond 64 KiB.
 */
export function seal(
  keyring: Keyring,
  context: SealContext,
  secret: Secret,
  random: RandomBytes,
): Sealed {
  const bytes = secret.expose();
  if (bytes.length > MAX_SECRET_BYTES) throw new RangeError('the secret is too long');
  const dataKey = draw(random, KEY_BYTES);
  try {
    const nonce = draw(random, NONCE_BYTES);
    const ciphertext = encrypt(dataKey, nonce, bytes, secretAad(context));
    return {
      ...wrap(keyring, context, dataKey, random),
      nonce: nonce.toString('base64url'),
      ciphertext: ciphertext.toString('base64url'),
    };
  } finally {
    dataKey.fill(0);
  }
}

/** @param sealed as read from the database: it may be anything. */
export function open(
  keyring: Keyring,
  context: SealContext,
  sealed: unknown,
):
  | { readonly ok: true; readonly secret: Secret }
  | { readonly ok: false; readonly reason: OpenReason } {
  const unwrapped = unwrap(keyring, context, sealed);
  if (!unwrapped.ok) return unwrapped;
  const { dataKey, parts } = unwrapped.value;
  const bytes = decrypt(dataKey, parts.nonce, parts.ciphertext, secretAad(context));
  dataKey.fill(0);
  if (bytes === undefined) return { ok: false, reason: 'mismatch' };
  const secret = Secret.of(bytes);
  bytes.fill(0);
  return { ok: true, secret };
}

/**
 * The same value under the active master key. Only the data key is opened and wrapped again;
 * the secret itself is neither decrypted nor encrypted a second time.
 */
export function rewrap(
  keyring: Keyring,
  context: SealContext,
  sealed: unknown,
  random: RandomBytes,
): Parsed<Sealed, OpenReason> {
  const unwrapped = unwrap(keyring, context, sealed);
  if (!unwrapped.ok) return unwrapped;
  const { dataKey, parts } = unwrapped.value;
  const wrapped = wrap(keyring, context, dataKey, random);
  dataKey.fill(0);
  return {
    ok: true,
    value: {
      ...wrapped,
      nonce: parts.nonce.toString('base64url'),
      ciphertext: parts.ciphertext.toString('base64url'),
    },
  };
}

function wrap(keyring: Keyring, context: SealContext, dataKey: Buffer, random: RandomBytes) {
  const key_id = keyring.active_id;
  const key = keyring.purposeKey(key_id, context.purpose);
  if (key === undefined) throw new Error('the active master key is not in its keyring');
  const nonce = draw(random, NONCE_BYTES);
  return {
    key_id,
    wrapped_key: encrypt(key, nonce, dataKey, wrapAad(context, key_id)).toString('base64url'),
    wrap_nonce: nonce.toString('base64url'),
  };
}

interface Parts {
  readonly key_id: string;
  readonly wrapped_key: Buffer;
  readonly wrap_nonce: Buffer;
  readonly nonce: Buffer;
  readonly ciphertext: Buffer;
}

function unwrap(
  keyring: Keyring,
  context: SealContext,
  sealed: unknown,
): Parsed<{ dataKey: Buffer; parts: Parts }, OpenReason> {
  const parts = readParts(sealed);
  if (parts === undefined) return { ok: false, reason: 'malformed' };
  const key = keyring.purposeKey(parts.key_id, context.purpose);
  if (key === undefined) return { ok: false, reason: 'unknown_key' };
  const aad = wrapAad(context, parts.key_id);
  const dataKey = decrypt(key, parts.wrap_nonce, parts.wrapped_key, aad);
  if (dataKey === undefined) return { ok: false, reason: 'mismatch' };
  return { ok: true, value: { dataKey, parts } };
}

// The wrapping binds the key id as well. The secret's own AAD leaves it out, so that a
// rotation of the master key need not touch the secret: it is bound through its data key.
const wrapAad = (context: SealContext, key_id: string): Buffer =>
  encodeAad({ ...bound(context), layer: 'data_key', key_id });
const secretAad = (context: SealContext): Buffer =>
  encodeAad({ ...bound(context), layer: 'secret' });

/** The fields by name: whatever else a caller's object carries is not part of the context. */
function bound(context: SealContext): Record<string, string | number> {
  const { team, purpose, version } = context;
  const common = { format: 'postern-seal-v1', team, purpose, version };
  if (context.purpose !== 'account_secret')
    return context.subject === undefined ? common : { ...common, subject: context.subject };
  const { account_id, server_identity_revision } = context;
  return { ...common, account_id, server_identity_revision };
}

/** Canonical JSON (RFC 8785): equal contexts have equal bytes, different ones never. */
function encodeAad(fields: Readonly<Record<string, string | number>>): Buffer {
  for (const [name, value] of Object.entries(fields)) {
    const text = typeof value === 'string' && value !== '' && value.isWellFormed();
    const count = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
    if (!text && !count) throw new RangeError(`not usable in a seal's context: ${name}`);
  }
  return Buffer.from(canonicalize(fields) as string, 'utf8');
}

function encrypt(key: KeyObject | Buffer, nonce: Buffer, plain: Buffer, aad: Buffer): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(
  key: KeyObject | Buffer,
  nonce: Buffer,
  ciphertext: Buffer,
  aad: Buffer,
): Buffer | undefined {
  const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(aad);
  decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
  const plain = decipher.update(ciphertext.subarray(0, -TAG_BYTES));
  try {
    decipher.final();
    return plain;
  } catch {
    plain.fill(0);
    return undefined;
  }
}

function readParts(sealed: unknown): Parts | undefined {
  if (typeof sealed !== 'object' || sealed === null) return undefined;
  const fields = sealed as Record<string, unknown>;
  const { key_id } = fields;
  if (Object.keys(fields).length !== 5 || typeof key_id !== 'string') return undefined;
  const wrapped_key = bytesOf(fields.wrapped_key, KEY_BYTES + TAG_BYTES);
  const wrap_nonce = bytesOf(fields.wrap_nonce, NONCE_BYTES);
  const nonce = bytesOf(fields.nonce, NONCE_BYTES);
  const ciphertext = bytesOf(fields.ciphertext);
  if (!wrapped_key || !wrap_nonce || !nonce || !ciphertext) return undefined;
  if (ciphertext.length < TAG_BYTES || ciphertext.length > MAX_SECRET_BYTES + TAG_BYTES) {
    return undefined;
  }
  return { key_id, wrapped_key, wrap_nonce, nonce, ciphertext };
}

function bytesOf(text: unknown, length?: number): Buffer | undefined {
  if (typeof text !== 'string') return undefined;
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.toString('base64url') !== text) return undefined;
  return length === undefined || bytes.length === length ? bytes : undefined;
}

/** A copy, because it is wiped; and never fewer bytes than asked for. */
function draw(random: RandomBytes, bytes: number): Buffer {
  const drawn = Buffer.from(random(bytes));
  if (drawn.length !== bytes) throw new RangeError('the random source gave another length');
  return drawn;
}
