import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

export type ReadKey =
  | { readonly ok: true; readonly key: KeyObject; readonly alg: string }
  | { readonly ok: false; readonly reason: string };

const PRIVATE = 'is a private key: it stays with its service user, pass the public one';

/**
 * A public key that a service user may sign with: Ed25519, ECDSA over P-256, or RSA of at least
 * 2048 bits; as a JWK or as PEM (SPKI).
 */
export function readKey(text: string): ReadKey {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return { ok: false, reason: PRIVATE };
  const parsed = parse(text.trim());
  if (parsed === 'private') return { ok: false, reason: PRIVATE };
  if (parsed === undefined) return { ok: false, reason: 'is neither a JWK nor a PEM public key' };
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = parsed;
  if (type === 'ed25519') return { ok: true, key: parsed, alg: 'EdDSA' };
  if (type === 'ec' && details?.namedCurve === 'prime256v1')
    return { ok: true, key: parsed, alg: 'ES256' };
  const bits = details?.modulusLength ?? 0;
  if (type === 'rsa' && bits >= 2048 && bits <= 8192)
    return { ok: true, key: parsed, alg: 'RS256' };
  return { ok: false, reason: 'must be Ed25519, P-256, or RSA of 2048 to 8192 bits' };
}

function parse(text: string): KeyObject | 'private' | undefined {
  try {
    if (!text.startsWith('{')) {
      if (!text.startsWith('-----BEGIN PUBLIC KEY-----')) return undefined;
      return createPublicKey({ key: text, format: 'pem', type: 'spki' });
    }
    const jwk = JSON.parse(text) as JsonWebKey & Record<string, unknown>;
    if (['d', 'p', 'q', 'k'].some((name) => Object.hasOwn(jwk, name))) return 'private';
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return undefined;
  }
}
