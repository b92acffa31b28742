import { createHash, createPublicKey, randomUUID, verify } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

interface Family {
  readonly jkt: string;
  refresh: string;
  access: string;
  over: boolean;
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url');

/**
 * An authorization server as strict as ours: PKCE, proofs, rotation, and a refresh token that
 * comes twice ends its login.
 */
export class FakeOauth {
  readonly families: Family[] = [];
  readonly codes = new Map<string, { challenge: string; redirect: string; jkt: string }>();
  readonly proofs = new Set<string>();
  /** Requests by path, in order. */
  readonly asked: string[] = [];
  /** What the next polls for a device code are answered, before the login. */
  readonly polls: (string | number)[] = [];
  /** Seconds. */
  accessLives = 300;
  device: Record<string, string> = {};
  /** Set: what it says that its issuer is. */
  issuer: string | undefined;

  async answer(base: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').split('?')[0] ?? '';
    this.asked.push(path);
    let text = '';
    for await (const chunk of request as AsyncIterable<Buffer>) text += chunk.toString();
    const form = Object.fromEntries(new URLSearchParams(text));
    const [status, body] = this.#answer(base, path, form, request);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(body === undefined ? '' : JSON.stringify(body));
  }

  #answer(
    base: string,
    path: string,
    form: Record<string, string>,
    request: IncomingMessage,
  ): [number, object?] {
    const issuer = this.issuer ?? `${base}/oauth`;
    if (path === '/oauth/.well-known/openid-configuration')
      return [
        200,
        {
          issuer,
          authorization_endpoint: `${issuer}/auth`,
          token_endpoint: `${issuer}/token`,
          device_authorization_endpoint: `${issuer}/device/auth`,
          revocation_endpoint: `${issuer}/token/revocation`,
          authorization_response_iss_parameter_supported: true,
          dpop_signing_alg_values_supported: ['ES256'],
          code_challenge_methods_supported: ['S256'],
        },
      ];
    if (form.client_id !== 'sft') return [401, { error: 'invalid_client' }];
    if (path === '/oauth/device/auth') {
      this.device = form;
      return [
        200,
        {
          device_code: 'the-device-code',
          user_code: 'BCDF-GHJK',
          verification_uri: `${issuer}/device`,
          verification_uri_complete: `${issuer}/device?user_code=BCDF-GHJK`,
          expires_in: 600,
        },
      ];
    }
    if (path === '/oauth/token/revocation') {
      for (const family of this.families) if (family.refresh === form.token) family.over = true;
      return [200];
    }
    if (path !== '/oauth/token') return [404, {}];
    const jkt = this.#proof(request, `${issuer}/token`);
    if (jkt === undefined) return [400, { error: 'invalid_dpop_proof' }];
    switch (form.grant_type) {
      case 'authorization_code':
        return this.#redeem(form, jkt);
      case 'refresh_token':
        return this.#refresh(form, jkt);
      default: {
        const poll = this.polls.shift();
        if (typeof poll === 'number') return [poll, {}];
        return poll === undefined ? [200, this.#begin(jkt)] : [400, { error: poll }];
      }
    }
  }

  #redeem(form: Record<string, string>, jkt: string): [number, object] {
    const code = this.codes.get(form.code ?? '');
    this.codes.delete(form.code ?? '');
    const isRight =
      code !== undefined &&
      code.challenge === digest(form.code_verifier ?? '') &&
      code.redirect === form.redirect_uri &&
      code.jkt === jkt;
    return isRight ? [200, this.#begin(jkt)] : [400, { error: 'invalid_grant' }];
  }

  #refresh(form: Record<string, string>, jkt: string): [number, object] {
    const known = form.refresh_token?.split('.')[0];
    const family = this.families.find(({ refresh }) => refresh.split('.')[0] === known);
    if (family === undefined || family.over || family.jkt !== jkt)
      return [400, { error: 'invalid_grant' }];
    if (family.refresh !== form.refresh_token) {
      family.over = true;
      return [400, { error: 'invalid_grant' }];
    }
    return [200, this.#rotate(family)];
  }

  #begin(jkt: string): object {
    const family = { jkt, refresh: `${randomUUID()}.0`, access: '', over: false };
    this.families.push(family);
    return this.#rotate(family);
  }

  #rotate(family: Family): object {
    family.refresh = `${family.refresh.split('.')[0]}.${randomUUID()}`;
    family.access = randomUUID();
    return {
      access_token: family.access,
      refresh_token: family.refresh,
      token_type: 'DPoP',
      expires_in: this.accessLives,
    };
  }

  /** Whether a call of the API comes with a token of a living login and a proof of its key. */
  accepts(base: string, request: IncomingMessage): boolean {
    const token = /^DPoP (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const family = this.families.find(({ access }) => access === token);
    if (token === undefined || family === undefined || family.over) return false;
    const url = `${base}${(request.url ?? '').split('?')[0]}`;
    return this.#proof(request, url, token) === family.jkt;
  }

  /** @returns the thumbprint of the proof's key. */
  #proof(request: IncomingMessage, url: string, token?: string): string | undefined {
    const text = String(request.headers.dpop);
    const [head = '', body = '', signature = ''] = text.split('.');
    const header = JSON.parse(Buffer.from(head, 'base64url').toString());
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const key = createPublicKey({ key: header.jwk, format: 'jwk' });
    const isSigned = verify(
      'sha256',
      Buffer.from(`${head}.${body}`),
      { key, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    const htu = new URL(claims.htu);
    htu.search = '';
    const isRight =
      isSigned &&
      header.typ === 'dpop+jwt' &&
      header.jwk.d === undefined &&
      claims.htm === request.method &&
      htu.href === url &&
      claims.ath === (token && digest(token)) &&
      !this.proofs.has(claims.jti);
    this.proofs.add(claims.jti);
    const { crv, kty, x, y } = header.jwk;
    return isRight ? digest(JSON.stringify({ crv, kty, x, y })) : undefined;
  }

  /** What a person's browser does at {@link url}: logs in, and follows to the loopback address. */
  async visit(url: URL, bent: Record<string, string> = {}): Promise<Response> {
    const asked = url.searchParams;
    const code = randomUUID();
    this.codes.set(code, {
      challenge: asked.get('code_challenge') ?? '',
      redirect: asked.get('redirect_uri') ?? '',
      jkt: asked.get('dpop_jkt') ?? '',
    });
    const back = new URL(asked.get('redirect_uri') ?? '');
    const params = { code, state: asked.get('state') ?? '', iss: `${url.origin}/oauth`, ...bent };
    for (const [name, value] of Object.entries(params)) back.searchParams.set(name, value);
    return await fetch(back);
  }
}
