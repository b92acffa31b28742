import { createPublicKey } from 'node:crypto';
import { base64url, SignJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { onBoth } from '../kit/index.ts';
import { Browser } from '../login/browser.ts';
import { CLIENT_ID, CLIENT_SECRET, type FakeProvider, makeKey } from './fake-provider.ts';
import { pathOf, withUpstream } from './world.ts';

onBoth('attacks on the login at an OpenID provider', (kit) => {
  const { scene, demo, begin, logIn, loginOf, events } = withUpstream(kit);

  describe('attack: a token that is not for this login', () => {
    const now = Math.floor(Date.now() / 1000);
    const unsigned = (claims: object): string =>
      `${base64url.encode('{"alg":"none"}')}.${base64url.encode(JSON.stringify(claims))}.`;
    const withPublicKey = async (claims: object, { key }: FakeProvider): Promise<string> => {
      const pem = createPublicKey({ key: key.publicJwk as never, format: 'jwk' }).export({
        type: 'spki',
        format: 'pem',
      });
      return new SignJWT({ ...claims })
        .setProtectedHeader({ alg: 'HS256', kid: key.kid })
        .sign(Buffer.from(pem));
    };
    it.each<[string, FakeProvider['mischief']]>([
      ['another nonce', { claims: { nonce: 'other' } }],
      ['no nonce', { claims: { nonce: undefined } }],
      ['another issuer', { claims: { iss: 'https://evil.example.test' } }],
      ['no issuer', { claims: { iss: undefined } }],
      ['another audience', { claims: { aud: 'somebody else' } }],
      ['several audiences, for another party', { claims: { aud: [CLIENT_ID, 'x'], azp: 'x' } }],
      ['expired', { claims: { exp: now - 120, iat: now - 400 } }],
      ['no expiry', { claims: { exp: undefined } }],
      ['not valid yet', { claims: { nbf: now + 3_600 } }],
      ['no subject', { claims: { sub: undefined } }],
      ['a subject of another type', { claims: { sub: 17 } }],
      ['a subject that cannot be kept', { claims: { sub: 'a\nb' } }],
      ['no time of the login', { claims: { auth_time: undefined } }],
      ['a time of another type', { claims: { auth_time: 'now' } }],
      ['a time below zero', { claims: { auth_time: -1 } }],
      ['not signed', { token: unsigned }],
      ['signed with the public key as a secret', { token: withPublicKey }],
      [
        'signed with the secret of the client',
        {
          token: (claims) =>
            new SignJWT(claims)
              .setProtectedHeader({ alg: 'HS256' })
              .sign(Buffer.from(CLIENT_SECRET)),
        },
      ],
      [
        'signed with another key of the same name',
        { token: async (claims, { key, sign }) => sign(claims, await makeKey(key.kid)) },
      ],
      [
        'signed with a key that nobody published',
        { token: async (claims, { sign }) => sign(claims, await makeKey('unknown')) },
      ],
      [
        'changed after it was signed',
        {
          token: async (claims, { sign }) => {
            const [head, , tail] = (await sign(claims)).split('.');
            return [head, base64url.encode(JSON.stringify({ ...claims, sub: 'x' })), tail].join(
              '.',
            );
          },
        },
      ],
      ['no token', { token: () => '' }],
      ['not a token', { token: () => 'a.b.c' }],
    ])('%s', async (_what, mischief) => {
      scene.provider.mischief = mischief;
      const said = await logIn();
      expect([said.statusCode, said.headers.location]).toEqual([502, undefined]);
      expect(await loginOf()).toBeUndefined();
      expect((await events('pam.login.fail')).length).toBeGreaterThan(0);
    });

    it('a new key is found, once the keys have not just been read', async () => {
      expect((await logIn()).statusCode).toBe(303);
      const rotated = await makeKey(`rotated-${scene.n}`);
      Object.assign(scene.provider, { key: rotated, keys: [rotated] });
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
      expect((await logIn()).statusCode).toBe(303);
    });
  });

  describe('attack: an answer that belongs to another login', () => {
    it('the same answer twice', async () => {
      const answer = pathOf(scene.provider.visit(await begin()));
      expect((await scene.browser.get(answer)).statusCode).toBe(303);
      const first = await loginOf();
      expect((await scene.browser.get(answer)).statusCode).toBe(400);
      expect((await loginOf())?.session_id).toBe(first?.session_id);
    });

    it('in another browser (login CSRF); the one that began it can still finish', async () => {
      const victim = new Browser(demo);
      await begin('', victim);
      const answer = pathOf(scene.provider.visit(await begin()));
      expect((await victim.get(answer)).statusCode).toBe(400);
      expect(await loginOf(victim)).toBeUndefined();
      expect((await new Browser(demo).get(answer)).statusCode).toBe(400);
      expect((await scene.browser.get(answer)).statusCode).toBe(303);
    });

    it('with the cookie under the name that others can set', async () => {
      const answer = pathOf(scene.provider.visit(await begin()));
      const form = scene.browser.cookies.get('__Host-postern-form')!;
      const other = new Browser(demo);
      other.cookies.set('postern-form', form);
      expect((await other.get(answer)).statusCode).toBe(400);
    });

    it.each([undefined, true])(
      'a code of another login in this one; PKCE ignored: %s',
      async (no_pkce) => {
        scene.provider.mischief = { no_pkce };
        const attacker = new Browser(demo);
        const stolen = scene.provider.visit(await begin('', attacker)).searchParams.get('code')!;
        scene.provider.person = { sub: 'victim', preferred_username: `victim${scene.n}` };
        const mine = scene.provider.visit(await begin());
        mine.searchParams.set('code', stolen);
        const said = await scene.browser.get(pathOf(mine));
        expect([said.statusCode, await loginOf()]).toEqual([502, undefined]);
      },
    );

    it('from another issuer (mix-up, RFC 9207), and from none that says so', async () => {
      for (const iss of ['https://evil.example.test', undefined]) {
        const answer = scene.provider.visit(await begin());
        if (iss === undefined) answer.searchParams.delete('iss');
        else answer.searchParams.set('iss', iss);
        expect((await scene.browser.get(pathOf(answer))).statusCode).toBe(502);
      }
      expect(await loginOf()).toBeUndefined();
    });

    it('too late', async () => {
      const answer = pathOf(scene.provider.visit(await begin()));
      kit.clock.advance(601);
      expect((await scene.browser.get(answer)).statusCode).toBe(400);
    });

    it.each([
      '',
      '?code=a',
      '?state=a&code=b',
      '?state=a&state=b',
      `?state=${'a'.repeat(43)}&code=b`,
      '?error=access_denied',
    ])('that nobody began: %s', async (query) => {
      await begin();
      expect((await scene.browser.get(`/login/oidc/callback${query}`)).statusCode).toBe(400);
    });

    it('twice the same parameter', async () => {
      const answer = pathOf(scene.provider.visit(await begin()));
      expect((await scene.browser.get(`${answer}&code=other`)).statusCode).toBe(502);
    });

    it('the provider refused: it is said, and what it sent is not repeated', async () => {
      const answer = scene.provider.visit(await begin());
      answer.searchParams.delete('code');
      answer.searchParams.set('error', 'access_denied');
      answer.searchParams.set('error_description', '<b>call 555</b>');
      const said = await scene.browser.get(pathOf(answer));
      expect([said.statusCode, said.body]).toEqual([403, expect.not.stringContaining('555')]);
    });

    it.each([
      '//evil.test',
      'https://evil.test',
      '/\\evil.test',
      '/%2f/evil.test',
      'javascript:1',
      '/a&next=/b',
    ])('goes nowhere else afterwards: %s', async (next) => {
      const said = await logIn(`?next=${encodeURIComponent(next)}`);
      expect(String(said.headers.location)).toMatch(/^\/(account|a&next=\/b)$/);
    });

    it('the cookie of a login that was there before is not kept (fixation)', async () => {
      await logIn();
      const before = scene.browser.cookies.get('__Host-postern');
      await logIn();
      expect(scene.browser.cookies.get('__Host-postern')).not.toBe(before);
    });
  });

  describe('attack: a provider that answers otherwise', () => {
    const answers = (answer: FakeProvider['mischief']['answer'], status: number) => async () => {
      scene.provider.mischief = { answer };
      const said = await logIn();
      expect([said.statusCode, await loginOf()]).toEqual([status, undefined]);
    };
    it(
      'more than anybody needs',
      answers((response) => {
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(`{"a":"${'a'.repeat(600 * 1024)}"}`);
      }, 503),
    );
    it(
      'a way to somewhere else: it is not followed',
      answers((response) => {
        response.writeHead(307, { location: `${scene.provider.issuer}/userinfo` }).end();
      }, 502),
    );
    it(
      'nothing',
      answers((response) => void response.destroy(), 503),
    );
    it(
      'no JSON',
      answers((response) => {
        response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
      }, 502),
    );
    it(
      'an error of its own',
      answers((response) => {
        response.writeHead(500).end();
      }, 502),
    );

    it('nothing that it answers is in the log or in an event', async () => {
      scene.provider.mischief = { claims: { nonce: 'a-nonce-that-is-wrong' } };
      await logIn();
      const texts = [...demo.service.lines, JSON.stringify(await events('pam.login.fail'))].join();
      for (const secret of [CLIENT_SECRET, 'a-nonce-that-is-wrong', 'code=', 'eyJ'])
        expect(texts).not.toContain(secret);
    });
  });
});
