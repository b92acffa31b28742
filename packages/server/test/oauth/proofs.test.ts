import { createHmac, randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { onBoth } from '../kit/index.ts';
import { PREFIX, PUBLIC_URL } from '../kit/service.ts';
import { type Bent, type Client, digest, newKey } from './client.ts';
import { withOauth } from './world.ts';

const WHOAMI = '/whoami';
const url = (path: string): string => `${PUBLIC_URL}${PREFIX}${path}`;

onBoth('attack 10: an access token and its proof', (kit) => {
  const world = withOauth(kit);
  let client: Client;
  let token: string;

  beforeAll(async () => {
    client = await world.client();
    ({ access_token: token } = await client.login(world.browser('uma')));
  });

  // What decides, opens or changes reads everything in its transaction; what only reads is
  // answered from what was known a second ago. Both ask for the same proof.
  describe.each([
    ['in its transaction', WHOAMI],
    ['remembered', '/servers'],
  ])('%s', (_, path) => {
    const status = async (bent: Parameters<Client['call']>[3] = {}): Promise<number> =>
      (await client.call(token, 'GET', path, bent)).statusCode;
    /** The right answer is remembered first, so that nothing gets it without its own proof. */
    const refused = async (bent: Parameters<Client['call']>[3]): Promise<void> => {
      expect(await status()).toBe(200);
      const answer = await client.call(token, 'GET', path, bent);
      expect(answer.statusCode).toBe(401);
      expect(answer.headers['www-authenticate']).toContain('DPoP');
      expect(answer.json()).toMatchObject({ code: 'unauthenticated' });
      expect(answer.json().detail).toBe('Not logged in, or the token is not valid.');
    };

    it('allow: with a fresh proof of its key', async () => {
      expect(await status()).toBe(200);
      expect(await status()).toBe(200);
    });

    it('allow: a proof whose URL has another query, or says its port', async () => {
      const htu = (text: string): Bent => ({ claims: { htu: text } });
      expect(await status(htu(`${url(path)}?limit=1#x`))).toBe(200);
      expect(await status(htu(url(path).replace('.test/', '.test:443/')))).toBe(200);
    });

    it('deny: no proof at all', () => refused({ proof: null }));
    it('deny: something that is no proof', () => refused({ proof: 'e30.e30.' }));
    it('deny: two proofs', async () => {
      const two = await Promise.all([1, 2].map(() => client.proof('GET', url(path), token)));
      await refused({ proof: two.join(', ') });
    });
    it('deny: a proof by another key', async () => refused({ key: await newKey() }));
    it('deny: a proof for another method', () => refused({ claims: { htm: 'POST' } }));
    it('deny: a proof for another path', () => refused({ claims: { htu: url('/tokens') } }));
    it('deny: a proof for another service', () =>
      refused({ claims: { htu: `https://evil.example${PREFIX}${path}` } }));
    it('deny: a proof for this service by http', () =>
      refused({ claims: { htu: url(path).replace('https:', 'http:') } }));
    it('deny: a proof with somebody else before the host', () =>
      refused({ claims: { htu: url(path).replace('https://', 'https://a@') } }));
    it('deny: a proof for another token', () => refused({ claims: { ath: digest('another') } }));
    it('deny: a proof for no token', () => refused({ claims: { ath: undefined } }));
    it('deny: a proof that says no method', () => refused({ claims: { htm: undefined } }));
    it('deny: a proof that says no URL', () => refused({ claims: { htu: undefined } }));
    it('deny: a proof without a time', () => refused({ claims: { iat: undefined } }));
    it('deny: a proof without a name', () => refused({ claims: { jti: undefined } }));
    it('deny: a proof that is a minute old', () =>
      refused({ claims: { iat: Math.floor(kit.clock.now() / 1000) - 61 } }));
    it('deny: a proof of the minute after the next', () =>
      refused({ claims: { iat: Math.floor(kit.clock.now() / 1000) + 61 } }));
    it('deny: a proof of another type', () => refused({ header: { typ: 'JWT' } }));
    it('deny: a proof that came before', async () => {
      const proof = await client.proof('GET', url(path), token);
      expect(await status({ proof })).toBe(200);
      await refused({ proof });
    });

    it('deny: one proof many times at once: one gets in', async () => {
      const proof = await client.proof('GET', url(path), token);
      const all = await Promise.all(Array.from({ length: 8 }, () => status({ proof })));
      expect(all.filter((one) => one === 200)).toHaveLength(1);
    });

    it('deny: a proof that nobody signed (alg none)', async () => {
      const claims = { htm: 'GET', htu: url(path), jti: randomUUID(), ath: digest(token) };
      await refused({ proof: `${unsigned({ alg: 'none' }, claims)}.` });
      const ours = await client.proof('GET', url(path), token);
      await refused({ proof: `${ours.split('.').slice(0, 2).join('.')}.` });
    });

    it('deny: a proof signed with the public key as if it were a secret (HS256)', async () => {
      const claims = { htm: 'GET', htu: url(path), jti: randomUUID(), ath: digest(token) };
      const text = unsigned({ alg: 'HS256' }, claims);
      const mac = createHmac('sha256', JSON.stringify(client.key.jwk)).update(text);
      await refused({ proof: `${text}.${mac.digest('base64url')}` });
    });

    it('deny: a proof that brings its private key, or no key', async () => {
      await refused({ header: { jwk: { ...client.key.jwk, d: 'AAAA' } as never } });
      await refused({ header: { jwk: undefined } as never });
      await refused({ header: { jwk: { kty: 'oct', k: 'AAAA' } as never } });
    });

    it('deny: the token as a bearer token', async () => {
      const answer = await world.service.call(token, 'GET', path);
      expect(answer.statusCode).toBe(401);
    });

    it('deny: a static token with a proof, and its own text as a bearer token allows', async () => {
      const fixed = world.tokens.uma ?? '';
      expect((await client.call(fixed, 'GET', path)).statusCode).toBe(401);
      expect((await world.service.call(fixed, 'GET', path)).statusCode).toBe(200);
    });

    it('deny: somebody else’s token with a proof of one’s own key', async () => {
      const thief = await world.client();
      expect((await thief.call(token, 'GET', path)).statusCode).toBe(401);
      const { access_token } = await thief.login(world.browser('bo'));
      expect((await thief.call(access_token, 'GET', path)).statusCode).toBe(200);
      expect((await thief.call(token, 'GET', path)).statusCode).toBe(401);
    });

    const unsigned = (header: object, claims: object): string =>
      [
        { typ: 'dpop+jwt', jwk: client.key.jwk, ...header },
        { iat: Math.floor(kit.clock.now() / 1000), ...claims },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
  });

  it('allow: a key of Ed25519', async () => {
    const key = await newKey('EdDSA');
    const bent = { key, header: { alg: 'EdDSA' } };
    const { code, verifier } = await world.browser('uma').authorize();
    const { access_token } = (await client.redeem(code, verifier, bent)).json();
    expect((await client.call(access_token, 'GET', WHOAMI, bent)).statusCode).toBe(200);
    expect((await client.call(access_token, 'GET', WHOAMI)).statusCode).toBe(401);
  });

  it('deny: a proof used at one replica comes to the other', async () => {
    const proof = await client.proof('GET', url(WHOAMI), token);
    expect((await client.call(token, 'GET', WHOAMI, { proof })).statusCode).toBe(200);
    const again = await client.call(token, 'GET', WHOAMI, { proof, service: world.replica });
    expect(again.statusCode).toBe(401);
  });

  it('deny: a proof of a call that was let in and refused, though what stood in its way is gone', async () => {
    const path = '/access_requests/00000000-0000-7000-8000-000000000000/cancel';
    const proof = await client.proof('POST', url(path), token);
    const call = async () => (await client.call(token, 'POST', path, { proof })).statusCode;
    expect(await call()).toBe(404);
    expect(await call()).toBe(401);
  });

  it('deny: a code, a refresh token or a grant in the place of an access token', async () => {
    const { code, verifier } = await world.browser('uma').authorize();
    expect((await client.call(code, 'GET', WHOAMI)).statusCode).toBe(401);
    const tokens = (await client.redeem(code, verifier)).json();
    expect((await client.call(tokens.refresh_token, 'GET', WHOAMI)).statusCode).toBe(401);
    expect((await client.call(tokens.id_token.slice(0, 500), 'GET', WHOAMI)).statusCode).toBe(401);
    const { token: login } = (await client.call(tokens.access_token, 'GET', WHOAMI)).json();
    expect((await client.call(login.id, 'GET', WHOAMI)).statusCode).toBe(401);
  });

  it('deny: a token of another deployment', async () => {
    const key = `${'A'.repeat(43)}`;
    expect((await client.call(key, 'GET', WHOAMI)).statusCode).toBe(401);
  });

  it('deny: a token that five minutes ago was good, in both ways', async () => {
    const { access_token } = await client.login(world.browser('uma'));
    kit.clock.advance(301);
    for (const path of [WHOAMI, '/servers'])
      expect((await client.call(access_token, 'GET', path)).statusCode).toBe(401);
  });

  it('logs nothing that went wrong on our side', () => {
    expect(world.service.faults).toEqual([]);
    expect(world.replica.faults).toEqual([]);
  });
});
