import type { Instant } from '@postern/shared';
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  importJWK,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { findUnstorable } from '../platform/storable.ts';
import { ALGORITHMS, type Claims, type Connection, NotBelieved, TOLERANCE } from './model.ts';
import type { KeysAt } from './routes-jwks.ts';

/** What a provider's token says, signed by the connection's issuer for this deployment, and in time. */
export async function verifyWorkload(
  connection: Connection,
  jwt: string,
  { keysAt, now }: { readonly keysAt: KeysAt; readonly now: Instant },
): Promise<Claims> {
  const { kid, alg } = headerOf(jwt);
  // Before anything is fetched for it.
  if (kid === undefined || !ALGORITHMS.includes(alg)) throw new NotBelieved('header');
  const getKey = createLocalJWKSet(await keysAt(connection.jwks_url, kid));
  const { issuer, audience } = connection;
  return await verified(jwt, getKey, { issuer, audience, algorithms: ALGORITHMS, now });
}

const OF_KEY: Readonly<Record<string, string[]>> = {
  EdDSA: ['EdDSA', 'Ed25519'],
  ES256: ['ES256'],
  RS256: ['RS256', 'PS256'],
};

/** What a service user says with its key. */
export async function verifyAssertion(
  key: { readonly jwk: Record<string, unknown>; readonly alg: string },
  jwt: string,
  { audience, now }: { readonly audience: string[]; readonly now: Instant },
): Promise<Claims> {
  const algorithms = OF_KEY[key.alg] ?? [];
  const getKey = async ({ alg }: { alg?: string }) => importJWK(key.jwk, alg);
  return await verified(jwt, getKey as JWTVerifyGetKey, { audience, algorithms, now });
}

export function headerOf(jwt: string): { readonly kid: string | undefined; readonly alg: string } {
  try {
    const { kid, alg } = decodeProtectedHeader(jwt);
    const isText = typeof kid === 'string' && findUnstorable(kid) === undefined;
    const isId = isText && kid !== '' && kid.length <= 500;
    return { kid: isId ? kid : undefined, alg: String(alg) };
  } catch {
    throw new NotBelieved('no_jwt');
  }
}

interface Expected {
  readonly issuer?: string;
  readonly audience: string | string[];
  readonly algorithms: string[];
  readonly now: Instant;
}

async function verified(
  jwt: string,
  getKey: JWTVerifyGetKey,
  { now, ...expected }: Expected,
): Promise<Claims> {
  try {
    const { payload } = await jwtVerify(jwt, getKey, {
      ...expected,
      currentDate: new Date(now),
      clockTolerance: TOLERANCE,
      requiredClaims: ['iss', 'aud', 'exp', 'iat', 'jti'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWTClaimValidationFailed)
      throw new NotBelieved(`claim ${error.claim}`);
    if (error instanceof errors.JOSEError) throw new NotBelieved(error.code);
    // A key that cannot be read, of whatever sort.
    throw new NotBelieved('unusable_key');
  }
}
