import { beforeEach, describe, expect, it } from 'vitest';
import { mfaInstantsOf } from '../../src/mfa/index.ts';
import { onBoth } from '../kit/index.ts';
import { PUBLIC_URL } from '../kit/service.ts';
import { authorizeUrl, Browser, type Client, digest, REDIRECT } from './client.ts';
import { withOauth } from './world.ts';

onBoth('login by loopback', (kit) => {
  const world = withOauth(kit);
  let client: Client;
  beforeEach(async () => {
    client = await world.client();
  });
  const csrf = (login: string): string => `csrf of ${world.ids[login]}`;

  it('advertises itself under the public URL (RFC 8414), and nothing that is off', async () => {
    for (const name of ['openid-configuration', 'oauth-authorization-server']) {
      const answer = await world.service.app.inject(`/oauth/.well-known/${name}`);
      expect(answer.statusCode).toBe(200);
      const issuer = `${PUBLIC_URL}/oauth`;
      expect(answer.json()).toMatchObject({
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        device_authorization_endpoint: `${issuer}/device/auth`,
        revocation_endpoint: `${issuer}/token/revocation`,
        jwks_uri: `${issuer}/jwks`,
        response_types_supported: ['code'],
        code_challenge_methods_supported: ['S256'],
        token_endpoint_auth_methods_supported: ['none'],
        dpop_signing_alg_values_supported: ['ES256', 'EdDSA'],
        authorization_response_iss_parameter_supported: true,
      });
      expect(answer.json().grant_types_supported.sort()).toEqual([
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:device_code',
      ]);
      expect(answer.json()).not.toHaveProperty('registration_endpoint');
    }
  });

  it('publishes the key that signs ID tokens: the same in every replica, never its private part', async () => {
    const [one, other] = await Promise.all(
      [world.service, world.replica].map(({ app }) => app.inject('/oauth/jwks')),
    );
    expect(one?.json()).toEqual(other?.json());
    expect(one?.json().keys).toHaveLength(1);
    expect(one?.json().keys[0]).toMatchObject({
      kty: 'EC',
      crv: 'P-256',
      use: 'sig',
      alg: 'ES256',
    });
    expect(one?.json().keys[0]).not.toHaveProperty('d');
  });

  it('logs in whoever is logged in in the browser: a code, tokens, a call', async () => {
    const { code, location, verifier } = await world.browser('uma').authorize();
    expect(location.origin + location.pathname).toBe(REDIRECT);
    expect(location.searchParams.get('state')).toBe('a state');
    expect(location.searchParams.get('iss')).toBe(`${PUBLIC_URL}/oauth`);
    const answer = await client.redeem(code, verifier);
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['cache-control']).toContain('no-store');
    const tokens = answer.json();
    expect(tokens).toMatchObject({ token_type: 'DPoP', expires_in: 300 });
    const who = await client.call(tokens.access_token, 'GET', '/whoami');
    expect(who.statusCode).toBe(200);
    expect(who.json()).toMatchObject({ user: { login: 'uma' } });
    // A reading operation, too, whose authentication is remembered for a second.
    expect((await client.call(tokens.access_token, 'GET', '/servers')).statusCode).toBe(200);
  });

  it('sends who is not logged in to the login page, and goes on from there', async () => {
    const browser = world.browser();
    const started = await browser.get(authorizeUrl('x'.repeat(43)));
    const to = started.headers.location ?? '';
    expect(to).toMatch(/^\/oauth\/interaction\//);
    const page = await browser.get(to);
    expect(page.statusCode).toBe(303);
    expect(page.headers.location).toBe(`/login?next=${encodeURIComponent(to)}`);
    browser.set('who', world.ids.uma ?? '');
    expect((await browser.get(to)).body).toContain('Logs in as');
  });

  it('asks first, and tells which program on which port: whoever follows an address is not logged in', async () => {
    const logins = () => kit.db.sql.selectFrom('tokens').select('id').execute();
    const before = (await logins()).length;
    const browser = world.browser('uma');
    const started = await browser.get(
      authorizeUrl('v'.repeat(43), { device_name: 'umas-<laptop>' }),
    );
    const to = started.headers.location ?? '';
    const page = await browser.get(to);
    for (const text of ['sft, umas-&lt;laptop&gt;', '127.0.0.1:49152', 'Uma'])
      expect(page.body).toContain(text);
    expect(page.body).not.toContain('http-equiv="refresh"');
    for (const form of [{ csrf: '' }, { csrf: csrf('bo') }, {}])
      for (const answer of ['allow', 'deny'])
        expect([400, 403]).toContain((await browser.post(to, { answer, ...form })).statusCode);
    expect((await browser.post(to, { csrf: csrf('uma'), answer: 'maybe' })).statusCode).toBe(400);
    expect((await logins()).length).toBe(before);
  });

  it('tells the program when the person says no', async () => {
    const browser = world.browser('uma');
    const started = await browser.get(authorizeUrl('v'.repeat(43)));
    const to = started.headers.location ?? '';
    const said = await browser.post(to, { csrf: csrf('uma'), answer: 'deny' });
    const onward = /http-equiv="refresh" content="0;url=([^"]+)"/.exec(said.body)?.[1] ?? '';
    const location = new URL((await browser.get(onward)).headers.location ?? '');
    expect(location.origin + location.pathname).toBe(REDIRECT);
    expect(location.searchParams.get('error')).toBe('access_denied');
    expect(location.searchParams.get('code')).toBeNull();
  });

  it('is a row of tokens from then on, of at most the length that is set', async () => {
    const tokens = await client.login(world.browser('uma'));
    const { token } = (await client.call(tokens.access_token, 'GET', '/whoami')).json();
    const row = await kit.db.sql
      .selectFrom('tokens')
      .selectAll()
      .where('id', '=', token.id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ kind: 'login', hash: null, user_id: world.ids.uma, name: 'sft' });
    expect(row.expires_at - kit.clock.now()).toBe(12 * 3_600_000);
    const listed = (await client.call(tokens.access_token, 'GET', '/tokens')).json().list;
    expect(listed.map((one: { id: string }) => one.id)).toContain(token.id);
  });

  it('names what it runs on, where that is plain text', async () => {
    for (const [device_name, name] of [
      ['umas-laptop', 'sft, umas-laptop'],
      ['evil\u202egpj', 'sft'],
    ] as const) {
      const { code, verifier } = await world.browser('uma').authorize({ device_name });
      const { access_token } = (await client.redeem(code, verifier)).json();
      const { token } = (await client.call(access_token, 'GET', '/whoami')).json();
      const row = kit.db.sql.selectFrom('tokens').select('name').where('id', '=', token.id);
      expect((await row.executeTakeFirstOrThrow()).name).toBe(name);
    }
  });

  it('is on record: who, from where, how', async () => {
    await client.login(world.browser('uma'));
    const event = await kit.db.sql
      .selectFrom('audit_events')
      .selectAll()
      .where('type', '=', 'pam.login.start')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    expect(event).toMatchObject({
      actor: { type: 'user', id: world.ids.uma },
      client_address: '127.0.0.1',
      details: { client: 'sft', amr: ['pwd', 'otp', 'mfa'], mfa: 'any' },
    });
  });

  it('takes over what second factor the browser has shown, and when', async () => {
    const tokens = await client.login(world.browser('uma'));
    const { token } = (await client.call(tokens.access_token, 'GET', '/whoami')).json();
    const proofs = await kit.transact((tx) => mfaInstantsOf(tx, token.id));
    expect(proofs).toEqual([{ acr: 'any', at: kit.clock.now() }]);
  });

  it('lasts for minutes only while its program does not come for it', async () => {
    await world.browser('uma').authorize();
    const row = await kit.db.sql
      .selectFrom('tokens')
      .select('expires_at')
      .where('kind', '=', 'login')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    expect(row.expires_at - kit.clock.now()).toBe(120_000);
  });

  describe('refuses', () => {
    it('a code without its verifier, or with another', async () => {
      const { code } = await world.browser('uma').authorize();
      for (const verifier of ['', 'y'.repeat(43), digest('something else')]) {
        const answer = await client.redeem(code, verifier);
        expect(answer.statusCode).toBe(400);
      }
    });

    it.each([
      ['no challenge', { code_challenge: '', code_challenge_method: '' }],
      ['a plain challenge', { code_challenge_method: 'plain' }],
      ['the implicit flow', { response_type: 'token', nonce: 'n' }],
      ['an ID token from the front', { response_type: 'id_token', nonce: 'n' }],
    ])('%s', async (_, params) => {
      const answer = await world.browser('uma').get(authorizeUrl('v'.repeat(43), params));
      expect([303, 400]).toContain(answer.statusCode);
      expect(answer.headers.location ?? 'error=').toContain('error=');
      expect(answer.headers.location ?? '').not.toContain('code=');
    });

    it.each([
      'https://evil.example/callback',
      'http://127.0.0.1:49152/other',
      'http://127.0.0.1.evil.example/callback',
      'http://localhost:49152/callback',
      'http://evil.example@127.0.0.1/callback',
      'http://127.0.0.1:49152/callback?next=https://evil.example',
    ])('to send a code to %s', async (redirect_uri) => {
      const answer = await world.browser('uma').get(authorizeUrl('v'.repeat(43), { redirect_uri }));
      expect(answer.statusCode).toBe(400);
      expect(answer.headers.location).toBeUndefined();
    });

    it('a code for another loopback address than it was sent to', async () => {
      const { code, verifier } = await world.browser('uma').authorize();
      const redirect_uri = 'http://127.0.0.1:50000/callback';
      expect((await client.redeem(code, verifier, { redirect_uri })).statusCode).toBe(400);
    });

    it('another client, and a client that registers itself', async () => {
      const other = await world
        .browser('uma')
        .get(authorizeUrl('v'.repeat(43), { client_id: 'x' }));
      expect(other.statusCode).toBe(400);
      const registered = await world.service.app.inject({
        method: 'POST',
        url: '/oauth/reg',
        payload: { redirect_uris: [REDIRECT] },
      });
      expect(registered.statusCode).toBe(404);
    });

    it('a password for a token', async () => {
      const form = { grant_type: 'password', username: 'uma', password: 'x' };
      const answer = await client.post('/oauth/token', form);
      expect(answer.json().error).toBe('unsupported_grant_type');
    });

    it('a code without a proof, and with one for another place', async () => {
      const { code, verifier } = await world.browser('uma').authorize();
      expect((await client.redeem(code, verifier, { proof: null })).statusCode).toBe(400);
      const elsewhere = await client.proof('POST', 'https://evil.example/oauth/token');
      expect((await client.redeem(code, verifier, { proof: elsewhere })).statusCode).toBe(400);
    });

    it('a code that is bound to another key (dpop_jkt)', async () => {
      const other = await world.client();
      const { calculateJwkThumbprint } = await import('jose');
      const dpop_jkt = await calculateJwkThumbprint(other.key.jwk);
      const { code, verifier } = await world.browser('uma').authorize({ dpop_jkt });
      expect((await client.redeem(code, verifier)).statusCode).toBe(400);
    });

    it.each([
      ['without asking', { prompt: 'none' }, 'login_required'],
      [
        'as an object that is not signed',
        { request: 'eyJhbGciOiJub25lIn0.e30.' },
        'request_not_supported',
      ],
      [
        'by a URL that it would fetch',
        { request_uri: 'https://evil.example/' },
        'request_uri_not_supported',
      ],
      ['with a client of its own', { registration: '{}' }, 'registration_not_supported'],
    ])('to be asked %s', async (_, params, error) => {
      const url = authorizeUrl('v'.repeat(43), params as Record<string, string>);
      const { location } = (await world.browser('uma').get(url)).headers;
      const said = new URL(String(location)).searchParams;
      expect([said.get('error'), said.get('code')]).toEqual([error, null]);
    });

    it('an interaction of another browser', async () => {
      const started = await world.browser('uma').get(authorizeUrl('v'.repeat(43)));
      const foreign = await world.browser('dana').get(started.headers.location ?? '');
      expect(foreign.statusCode).toBe(400);
      expect(foreign.body).toContain('This login is over');
    });

    it('an interaction that another browser began, whose cookies were planted in this one', async () => {
      const started = await world.browser().get(authorizeUrl('v'.repeat(43)));
      const victim = world.browser('uma');
      // A host beside this one sets cookies for both; none of that name.
      for (const { name, value } of started.cookies)
        if (!name.startsWith('__Host-')) victim.set(name, value);
      const to = started.headers.location ?? '';
      expect((await victim.get(to)).body).toContain('This login is over');
      // Nor with a value of its own.
      await victim.get(authorizeUrl('v'.repeat(43)));
      const form = { csrf: csrf('uma'), answer: 'allow' };
      expect((await victim.post(to, form)).statusCode).toBe(400);
    });

    it.each(['begun', '%62egun'])('to be told who began it (%s)', async (name) => {
      const url = `${authorizeUrl('v'.repeat(43))}&${name}=${'a'.repeat(43)}.0`;
      for (const at of [url, `${url}#`, url.replace('/auth?', `/auth?${name}=x&`)])
        expect((await world.browser('uma').get(at)).headers.location ?? '').not.toContain(
          '/interaction/',
        );
    });

    it('a cookie that was not signed here', async () => {
      const browser = world.browser('uma');
      const started = await browser.get(authorizeUrl('v'.repeat(43)));
      const to = started.headers.location ?? '';
      const forged = new Browser(() => world.service);
      forged.set('who', world.ids.uma ?? '');
      forged.set('postern_oauth_interaction', to.split('/').at(-1) ?? '');
      forged.set('postern_oauth_interaction.sig', 'A'.repeat(27));
      expect((await forged.get(to)).statusCode).toBe(400);
    });

    it('somebody who was disabled meanwhile', async () => {
      const { code, verifier } = await world.browser('bo').authorize();
      const set = await world.service.call(
        world.service.bootstrap,
        'PATCH',
        `/users/${world.ids.bo}`,
        {
          status: 'DISABLED',
        },
      );
      expect(set.statusCode).toBe(200);
      expect((await client.redeem(code, verifier)).statusCode).toBe(400);
      const again = await world.browser('bo').get(authorizeUrl('v'.repeat(43)));
      const page = await world.browser('bo').get(again.headers.location ?? '');
      expect(page.statusCode).not.toBe(200);
    });
  });

  it('logs nothing that went wrong on our side', () => {
    expect(world.service.faults).toEqual([]);
  });
});
