import { generateKeyPair, type KeyPair } from 'dpop';

/** The private P-256 key that a login is bound to, as a JWK (RFC 7517). */
export interface LoginKey {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
  readonly d: string;
}

const EC = { name: 'ECDSA', namedCurve: 'P-256' } as const;

/** A fresh one for each login: no two logins can be told to be of one machine. */
export async function newKey(): Promise<{ readonly pair: KeyPair; readonly key: LoginKey }> {
  const pair = await generateKeyPair('ES256', { extractable: true });
  const { x = '', y = '', d = '' } = await crypto.subtle.exportKey('jwk', pair.privateKey);
  return { pair, key: { kty: 'EC', crv: 'P-256', x, y, d } };
}

export async function pairOf({ d, ...open }: LoginKey): Promise<KeyPair> {
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('jwk', { ...open, d }, EC, false, ['sign']),
    crypto.subtle.importKey('jwk', open, EC, true, ['verify']),
  ]);
  return { privateKey, publicKey };
}
