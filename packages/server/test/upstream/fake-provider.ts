import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

type Json = Record<string, unknown>;

/** What it does otherwise than it should. */
export interface Mischief {
  /** Of the ID token; undefined takes a claim away. */
  claims?: Json;
  /** The ID token itself, instead of the one that it would sign. */
  token?: (claims: Json, provider: FakeProvider) => string | Promise<string>;
  /** Of its discovery document. */
  metadata?: Json;
  userinfo?: Json;
  /** What the token endpoint answers instead. */
  answer?: ((response: ServerResponse) => void) | undefined;
  /** Whether it forgets to compare the verifier with the challenge. */
  no_pkce?: boolean | undefined;
}

export interface Key {
  kid: string;
  privateKey: CryptoKey;
  publicJwk: JWK;
}

export interface FakeProvider {
  readonly issuer: string;
  mischief: Mischief;
  /** Whom it logs in. */
  person: Json;
  key: Key;
  /** What it publishes. */
  keys: Key[];
  /** Paths it was asked for. */
  readonly asked: string[];
  /** The browser follows there, and is logged in. @returns where it is sent back. */
  visit(location: string): URL;
  sign(claims: Json, key?: Key): Promise<string>;
  stop(): Promise<void>;
}

export const CLIENT_ID = 'postern';
export const CLIENT_SECRET = 'aSecretOfManyCharacters00112233';

export async function makeKey(kid: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' };
  return { kid, privateKey, publicJwk };
}

interface Grant {
  readonly nonce: string | null;
  readonly challenge: string | null;
  readonly redirect_uri: string | null;
  readonly person: Json;
}

/** An OpenID provider made by hand, to misbehave as no library would let it. */
export async function startFakeProvider(): Promise<FakeProvider> {
  const key = await makeKey('first');
  const grants = new Map<string, Grant>();
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const seconds = (): number => Math.floor(Date.now() / 1000);

  const provider: FakeProvider = {
    issuer,
    mischief: {},
    person: {},
    key,
    keys: [key],
    asked: [],
    visit: (location) => {
      const { searchParams: query } = new URL(location);
      const code = randomBytes(16).toString('hex');
      grants.set(code, {
        nonce: query.get('nonce'),
        challenge: query.get('code_challenge'),
        redirect_uri: query.get('redirect_uri'),
        person: provider.person,
      });
      const back = new URL(query.get('redirect_uri') ?? '');
      back.searchParams.set('code', code);
      back.searchParams.set('state', query.get('state') ?? '');
      back.searchParams.set('iss', issuer);
      return back;
    },
    sign: (claims, by = provider.key) =>
      new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: by.kid }).sign(by.privateKey),
    stop: () => new Promise((done) => server.close(() => done())),
  };

  const metadata = (): Json => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    userinfo_endpoint: `${issuer}/userinfo`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'HS256', 'none'],
    authorization_response_iss_parameter_supported: true,
    ...provider.mischief.metadata,
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? '';
    provider.asked.push(path);
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (path.startsWith('/.well-known/')) return json(200, metadata());
    if (path === '/jwks') return json(200, { keys: provider.keys.map((one) => one.publicJwk) });
    if (path === '/userinfo') {
      const { sub } = provider.person;
      return json(200, { sub, ...provider.mischief.userinfo });
    }
    if (path !== '/token') return json(404, {});
    const form = new URLSearchParams(await textOf(request));
    if (provider.mischief.answer !== undefined) return provider.mischief.answer(response);
    const basic = Buffer.from(`${CLIENT_ID}:${CLIENT_SECRET}`);
    if (request.headers.authorization !== `Basic ${basic.toString('base64')}`)
      return json(401, { error: 'invalid_client' });
    const grant = grants.get(form.get('code') ?? '');
    grants.delete(form.get('code') ?? '');
    const verifier = form.get('code_verifier') ?? '';
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (
      grant === undefined ||
      grant.redirect_uri !== form.get('redirect_uri') ||
      (grant.challenge !== challenge && provider.mischief.no_pkce !== true)
    )
      return json(400, { error: 'invalid_grant' });
    const claims = strip({
      iss: issuer,
      aud: CLIENT_ID,
      iat: seconds(),
      exp: seconds() + 300,
      auth_time: seconds(),
      nonce: grant.nonce,
      ...grant.person,
      ...provider.mischief.claims,
    });
    const id_token = await (provider.mischief.token?.(claims, provider) ?? provider.sign(claims));
    json(200, { access_token: 'at', token_type: 'Bearer', expires_in: 60, id_token });
  }
  return provider;
}

const strip = (claims: Json): Json =>
  Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
