import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose';

/** @returns a new P-256 key, as the text of a private JWK (RFC 7517) named by its thumbprint. */
export async function newSigningKey(): Promise<string> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(privateKey);
  return JSON.stringify({
    ...jwk,
    kid: await calculateJwkThumbprint(jwk),
    alg: 'ES256',
    use: 'sig',
  });
}
