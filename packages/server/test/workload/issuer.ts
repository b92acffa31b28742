import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export interface IssuerKey {
  readonly kid: string;
  readonly alg: string;
  readonly private: CryptoKey;
  readonly public_jwk: Record<string, unknown>;
}

/** An issuer as a provider runs one: keys at a URL, and tokens signed with them. */
export interface Issuer {
  readonly url: string;
  /** What its JWKS holds. */
  keys: IssuerKey[];
  /** How it answers who asks for its keys. */
  mood: 'ok' | 'down' | 'huge' | 'slow' | 'redirect' | 'nonsense';
  /** How often it was asked. */
  asked: number;
  sign(claims: JWTPayload, key?: IssuerKey): Promise<string>;
  stop(): Promise<void>;
}

let made = 0;

export async function newKey(alg = 'RS256'): Promise<IssuerKey> {
  const pair = await generateKeyPair(alg, { extractable: true });
  const kid = `key-${made++}`;
  const jwk = await exportJWK(pair.publicKey);
  return { kid, alg, private: pair.privateKey, public_jwk: { ...jwk, kid, alg, use: 'sig' } };
}

export async function startIssuer(): Promise<Issuer> {
  const server: Server = createServer((request, response) => {
    if (request.url?.includes('jwks') !== true) return void response.writeHead(404).end();
    issuer.asked += 1;
    const body = JSON.stringify({ keys: issuer.keys.map((key) => key.public_jwk) });
    switch (issuer.mood) {
      case 'down':
        return void response.writeHead(503).end();
      case 'huge':
        return void response.end(`${body.slice(0, -1)}, "x": "${'x'.repeat(1_000_000)}"}`);
      case 'slow':
        return void response.write('{"keys": [');
      case 'redirect':
        return void response.writeHead(302, { location: `${issuer.url}/moved/jwks` }).end();
      case 'nonsense':
        return void response.end('<html>');
      case 'ok':
        return void response.end(body);
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const issuer: Issuer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys: [await newKey()],
    mood: 'ok',
    asked: 0,
    sign: (claims, key = issuer.keys[0]!) =>
      new SignJWT(claims).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.private),
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return issuer;
}
