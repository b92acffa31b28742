import { type KeyObject, sign, verify } from 'node:crypto';
import { parsePublicKey, publicKeyOf } from './public-key.ts';
import { wireString } from './wire.ts';

export type ProofCredential =
  | { readonly type: 'vaulted_account'; readonly account_id: string }
  | { readonly type: 'principal_account'; readonly admin_level_permissions?: boolean };

/** What opening a session is bound to. Ids, never names, except the login on the target. */
export interface SessionProofFields {
  readonly team: string;
  readonly user_id: string;
  readonly server_id: string;
  readonly identity: string;
  readonly access_credential: ProofCredential;
  readonly nonce: string;
  /** The fresh key of the session: one line, `ssh-ed25519 AAAA…`. */
  readonly public_key: string;
}

export type SessionProofReason = 'malformed' | 'bad_key' | 'bad_signature';

// Without a length before it, as in OpenSSH's PROTOCOL.sshsig: read as SSH data these four
// first bytes would be a length no message has, so no login signature is ever a proof, and
// no proof a login.
const MAGIC = Buffer.from('postern-session-proof-v1', 'latin1');
const MAX_FIELD = 1024;

/**
 * The exact bytes that are signed: the magic, then the fields as SSH strings in the order
 * below, the credential as two, the key as its blob. Each field has one encoding and all have lengths, so that two
 * different requests never give the same bytes.
 * @returns undefined when a field is ill-formed or too long, or the key not plain Ed25519.
 */
export function sessionProofBytes(fields: SessionProofFields): Buffer | undefined {
  const key = parsePublicKey(fields.public_key);
  if (!key.ok || key.value.type !== 'ssh-ed25519') return undefined;
  const { team, user_id, server_id, identity, access_credential, nonce } = fields;
  const credential = credentialTexts(access_credential);
  if (credential === undefined) return undefined;
  const texts = [team, user_id, server_id, identity, ...credential, nonce];
  if (texts.some((text) => text.length > MAX_FIELD || !text.isWellFormed())) return undefined;
  return Buffer.concat([MAGIC, ...texts.map(wireString), wireString(key.value.blob)]);
}

/**
 * @param key the private half of `fields.public_key`.
 * @returns base64url of the 64 signature bytes.
 * @throws TypeError when the fields cannot be signed or name another key.
 */
export function signSessionProof(fields: SessionProofFields, key: KeyObject): string {
  const bytes = sessionProofBytes(fields);
  if (bytes === undefined) throw new TypeError('these fields cannot be signed');
  const named = parsePublicKey(fields.public_key);
  if (!named.ok || named.value.line !== publicKeyOf(key).line) {
    throw new TypeError('the proof names another key');
  }
  return sign(null, bytes, key).toString('base64url');
}

/** Shows that whoever made `proof` holds the private half of the key and meant these fields. */
export function verifySessionProof(
  fields: SessionProofFields,
  proof: string,
): { readonly ok: true } | { readonly ok: false; readonly reason: SessionProofReason } {
  const signature = /^[A-Za-z0-9_-]{86}$/.test(proof) ? Buffer.from(proof, 'base64url') : undefined;
  if (signature?.toString('base64url') !== proof) return { ok: false, reason: 'malformed' };
  const key = parsePublicKey(fields.public_key);
  if (!key.ok || key.value.type !== 'ssh-ed25519') return { ok: false, reason: 'bad_key' };
  const bytes = sessionProofBytes(fields);
  if (bytes === undefined) return { ok: false, reason: 'malformed' };
  return verify(null, bytes, key.value.key, signature)
    ? { ok: true }
    : { ok: false, reason: 'bad_signature' };
}

/** Two strings, whatever the kind: its type, and what tells two of one type apart. */
function credentialTexts(credential: ProofCredential): readonly [string, string] | undefined {
  switch (credential.type) {
    case 'vaulted_account':
      return [credential.type, credential.account_id];
    case 'principal_account':
      return [credential.type, credential.admin_level_permissions === true ? 'admin' : ''];
    default:
      credential satisfies never;
      return undefined;
  }
}
