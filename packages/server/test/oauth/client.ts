import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import {
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  SignJWT,
} from 'jose';
import { PREFIX, PUBLIC_URL, type TestService } from '../kit/service.ts';

export const REDIRECT = 'http://127.0.0.1:49152/callback';

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly id_token: string;
  readonly token_type: string;
  readonly expires_in: number;
}

/** What a proof says otherwise than it should. */
export interface Bent {
  readonly header?: Partial<JWTHeaderParameters> & Record<string, unknown>;
  readonly claims?: Record<string, unknown>;
  readonly key?: Key;
}

export interface Key {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function newKey(alg = 'ES256'): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, jwk: await exportJWK(publicKey) };
}

export const digest = (text: string): string =>
  createHash('sha256').update(text).digest('base64url');

/** `sft` as the service sees it: PKCE, proofs, its one key. Nothing of it is the real client's code. */
export class Client {
  readonly #service: () => TestService;
  readonly #now: () => number;
  readonly key: Key;

  constructor(service: () => TestService, now: () => number, key: Key) {
    this.#service = service;
    this.#now = now;
    this.key = key;
  }

  async proof(method: string, url: string, token?: string, bent: Bent = {}): Promise<string> {
    const key = bent.key ?? this.key;
    const header = { alg: 'ES256', typ: 'dpop+jwt', jwk: key.jwk, ...bent.header };
    return await new SignJWT({
      htm: method,
      htu: url,
      jti: randomUUID(),
      iat: Math.floor(this.#now() / 1000),
      ...(token !== undefined && { ath: digest(token) }),
      ...bent.claims,
    })
      .setProtectedHeader(header as JWTHeaderParameters)
      .sign(key.privateKey);
  }

  /** A call of the API with an access token and a fresh proof. */
  async call(
    token: string,
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    {
      body,
      proof,
      service,
      ...bent
    }: Bent & { body?: unknown; proof?: string | null; service?: TestService } = {},
  ): Promise<LightMyRequestResponse> {
    const made =
      proof === undefined
        ? await this.proof(method, `${PUBLIC_URL}${PREFIX}${path}`, token, bent)
        : proof;
    return await (service ?? this.#service()).call(undefined, method, path, body, {
      authorization: `DPoP ${token}`,
      ...(made === null ? {} : { dpop: made }),
    });
  }

  async post(
    path: string,
    form: Record<string, string>,
    { proof, service, ...bent }: Bent & { proof?: string | null; service?: TestService } = {},
  ): Promise<LightMyRequestResponse> {
    // oidc-provider reads the machine's clock.
    const iat = Math.floor((performance.timeOrigin + performance.now()) / 1000);
    const now = { ...bent, claims: { iat, ...bent.claims } };
    const made =
      proof === undefined
        ? await this.proof('POST', `${PUBLIC_URL}${path}`, undefined, now)
        : proof;
    return await (service ?? this.#service()).app.inject({
      method: 'POST',
      url: path,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(made === null ? {} : { dpop: made }),
      },
      payload: new URLSearchParams({ client_id: 'sft', ...form }).toString(),
    });
  }

  redeem(
    code: string,
    verifier: string,
    more: Parameters<Client['post']>[2] & { redirect_uri?: string } = {},
  ) {
    const { redirect_uri = REDIRECT, ...bent } = more;
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri };
    return this.post('/oauth/token', form, bent);
  }

  refresh(refresh_token: string, bent: Parameters<Client['post']>[2] = {}) {
    return this.post('/oauth/token', { grant_type: 'refresh_token', refresh_token }, bent);
  }

  poll(device_code: string, bent: Parameters<Client['post']>[2] = {}) {
    const grant_type = 'urn:ietf:params:oauth:grant-type:device_code';
    return this.post('/oauth/token', { grant_type, device_code }, bent);
  }

  /** Logs in by loopback in the browser. */
  async login(browser: Browser): Promise<Tokens> {
    const { code, verifier } = await browser.authorize();
    const answer = await this.redeem(code, verifier);
    if (answer.statusCode !== 200) throw new Error(answer.body);
    return answer.json<Tokens>();
  }
}

/** A browser without scripts: it keeps cookies by path and goes where it is sent. */
export class Browser {
  readonly #service: () => TestService;
  readonly #jar = new Map<string, { value: string; path: string }>();

  constructor(service: () => TestService) {
    this.#service = service;
  }

  set(name: string, value: string): void {
    this.#jar.set(name, { value, path: '/' });
  }

  async get(url: string, says: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    return await this.#send('GET', url, undefined, says);
  }

  async post(url: string, form: Record<string, string>): Promise<LightMyRequestResponse> {
    return await this.#send('POST', url, new URLSearchParams(form).toString());
  }

  async #send(
    method: 'GET' | 'POST',
    url: string,
    payload?: string,
    says: Record<string, string> = {},
  ) {
    const path = url.startsWith(PUBLIC_URL) ? url.slice(PUBLIC_URL.length) : url;
    const only = path.split('?')[0] ?? '';
    const cookie = [...this.#jar]
      .filter(
        ([, { path: under }]) => only === under || only.startsWith(under.replace(/\/?$/, '/')),
      )
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ');
    const answer = await this.#service().app.inject({
      method,
      url: path,
      headers: {
        cookie,
        accept: 'text/html',
        ...says,
        ...(payload !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(payload !== undefined && { payload }),
    });
    for (const { name, value, path: under = '/', expires } of answer.cookies as {
      name: string;
      value: string;
      path?: string;
      expires?: Date;
    }[])
      if (value === '' || (expires !== undefined && expires.getTime() < 1e12))
        this.#jar.delete(name);
      else this.#jar.set(name, { value, path: under });
    return answer;
  }

  /** From the program's URL to the code at its loopback address. */
  async authorize(params: Record<string, string> = {}) {
    const verifier = randomBytes(32).toString('base64url');
    const started = await this.get(authorizeUrl(verifier, params));
    const { code, location } = await this.#follow(started);
    return { code: code ?? '', location, verifier };
  }

  async #follow(answer: LightMyRequestResponse): Promise<{ code: string | null; location: URL }> {
    let at = answer;
    let url = '';
    for (let hops = 0; hops < 6; hops++) {
      const csrf = /name="csrf" value="([^"]+)"/.exec(at.body)?.[1];
      if (csrf !== undefined) at = await this.post(url, { csrf, answer: 'allow' });
      const onward = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(at.body)?.[1];
      const to = at.headers.location ?? onward;
      if (to === undefined) throw new Error(`${at.statusCode} ${at.body}`);
      if (to.startsWith('http://127.0.0.1')) {
        const location = new URL(to);
        return { code: location.searchParams.get('code'), location };
      }
      url = to;
      at = await this.get(to);
    }
    throw new Error('sent around');
  }
}

export const authorizeUrl = (verifier: string, params: Record<string, string> = {}): string =>
  `/oauth/auth?${new URLSearchParams({
    client_id: 'sft',
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: 'openid',
    state: 'a state',
    code_challenge: digest(verifier),
    code_challenge_method: 'S256',
    ...params,
  })}`;
