import { verify } from 'node:crypto';
import { type PublicKey, parsePublicKey, parsePublicKeyBlob } from './public-key.ts';
import { type Parsed, parseWire } from './wire.ts';

/** What a client signs to log in with a key: RFC 4252 §7. */
export interface UserauthBlob {
  /** The exchange hash of the first key exchange (RFC 4253 §7.2): names one connection. */
  readonly ssh_session_id: Buffer;
  readonly user: string;
  readonly algorithm: string;
  readonly public_key: PublicKey;
}

export type UserauthReason =
  | 'malformed'
  /** Not a SSH_MSG_USERAUTH_REQUEST for "ssh-connection" with "publickey" and TRUE. */
  | 'not_a_publickey_login'
  | 'bad_session_id'
  /** The key inside is refused, a certificate too, or the algorithm is not the key's own. */
  | 'bad_key'
  | 'wrong_user'
  | 'wrong_key'
  | 'bad_signature';

const SSH_MSG_USERAUTH_REQUEST = 50;

// Lengths of SHA-256, SHA-384 and SHA-512: the hashes of the key exchanges still in use.
const SESSION_ID_LENGTHS = [32, 48, 64];

/** Reads exactly the fields of RFC 4252 §7, nothing after them, whoever signed it. */
export function parseUserauthBlob(blob: Uint8Array): Parsed<UserauthBlob, UserauthReason> {
  const read = parseWire(blob, (reader) => ({
    ssh_session_id: reader.string(),
    message: reader.byte(),
    user: reader.text(),
    service: reader.text(),
    method: reader.text(),
    signed: reader.boolean(),
    algorithm: reader.text(),
    key_blob: reader.string(),
  }));
  if (!read.ok) return refuse('malformed');
  const { ssh_session_id, message, user, service, method, signed, algorithm } = read.value;
  if (!SESSION_ID_LENGTHS.includes(ssh_session_id.length)) return refuse('bad_session_id');
  if (message !== SSH_MSG_USERAUTH_REQUEST || service !== 'ssh-connection')
    return refuse('not_a_publickey_login');
  if (method !== 'publickey' || !signed) return refuse('not_a_publickey_login');
  const key = parsePublicKeyBlob(read.value.key_blob);
  if (!key.ok || !isAlgorithmOf(key.value, algorithm)) return refuse('bad_key');
  return { ok: true, value: { ssh_session_id, user, algorithm, public_key: key.value } };
}

/**
 * Whether this is a login of `expected.user` with `expected.public_key`, an Ed25519 line,
 * on some SSH connection. Which connection, the caller compares: a blob proves nothing about
 * a session id other than the one returned, and may be replayed by whoever has seen it.
 * @param signature the 64 bytes of RFC 8032, without SSH's "ssh-ed25519" wrapping.
 */
export function verifyUserauth(input: {
  readonly blob: Uint8Array;
  readonly signature: Uint8Array;
  readonly expected: { readonly user: string; readonly public_key: string };
}):
  | { readonly ok: true; readonly ssh_session_id: Buffer }
  | { readonly ok: false; readonly reason: UserauthReason } {
  const parsed = parseUserauthBlob(input.blob);
  if (!parsed.ok) return parsed;
  const { ssh_session_id, user, public_key } = parsed.value;
  if (user !== input.expected.user) return refuse('wrong_user');
  const expected = parsePublicKey(input.expected.public_key);
  if (!expected.ok || expected.value.type !== 'ssh-ed25519') return refuse('bad_key');
  if (!expected.value.blob.equals(public_key.blob)) return refuse('wrong_key');
  if (input.signature.length !== 64) return refuse('bad_signature');
  return verify(null, input.blob, expected.value.key, input.signature)
    ? { ok: true, ssh_session_id }
    : refuse('bad_signature');
}

/** RFC 8332 gives RSA keys two algorithms; "ssh-rsa" as an algorithm is SHA-1 and refused. */
function isAlgorithmOf(key: PublicKey, algorithm: string): boolean {
  if (key.type !== 'ssh-rsa') return algorithm === key.type;
  return algorithm === 'rsa-sha2-256' || algorithm === 'rsa-sha2-512';
}

function refuse(reason: UserauthReason): { readonly ok: false; readonly reason: UserauthReason } {
  return { ok: false, reason };
}
