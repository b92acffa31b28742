import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { type CryptoKey, exportJWK, exportPKCS8, exportSPKI, SignJWT } from 'jose';
import { beforeEach, describe, expect, it, test } from 'vitest';
import { codeOf, makeUser, methodsOf, raised } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { loginAs, prove } from '../kit/mfa.ts';
import { must, PREFIX, PUBLIC_URL } from '../kit/service.ts';
import { type IssuerKey, newKey } from './issuer.ts';
import { withCi } from './world.ts';

onBoth('a service user logs in with a key', (kit) => {
  const ci = withCi(kit);
  let n = 0;
  let login: string;
  let id: string;
  let key: IssuerKey & { row: string; thumbprint: string };
  const add = async (pem: string, by = 'sam') =>
    ci.service.call(ci.tokens[by], 'POST', `/users/${id}/keys`, { name: 'k', public_key: pem });
  const keyFor = async (alg = 'EdDSA') => {
    const made = await newKey(alg);
    const added = must(await add(JSON.stringify(await exportJWK(await publicOf(made)))));
    return { ...made, row: String(added.id), thumbprint: String(added.kid) };
  };
  const publicOf = async (made: IssuerKey) =>
    (await import('jose')).importJWK(made.public_jwk, made.alg) as Promise<CryptoKey>;
  beforeEach(async () => {
    login = `bot-${kit.kind}-${n++}`;
    const groups = ['everyone', 'linux-users'];
    id = await makeUser(ci, login, { type: 'service', owners: ['sam'], groups });
    key = await keyFor();
  });
  const claims = (more: Record<string, unknown> = {}) => {
    const now = Math.floor(kit.clock.now() / 1000);
    return {
      ...{ iss: id, sub: id, aud: PUBLIC_URL, iat: now, exp: now + 60, jti: randomUUID() },
      ...more,
    };
  };
  const signed = (more: Record<string, unknown> = {}, by: IssuerKey = key, kid = key.thumbprint) =>
    new SignJWT(claims(more)).setProtectedHeader({ alg: by.alg, kid }).sign(by.private);
  const present = (client_assertion: string) =>
    ci.service.app.inject({
      method: 'POST',
      url: `${PREFIX}/service_token`,
      payload: { client_assertion },
      remoteAddress: `192.0.2.${n % 250}`,
    });
  const whoami = async (token: string) => codeOf(await ci.service.call(token, 'GET', '/whoami'));

  test('it is itself for an hour, by id or by login, to this service or to its path', async () => {
    for (const more of [
      {},
      { iss: login, sub: login },
      { aud: `${PUBLIC_URL}${PREFIX}/service_token` },
    ]) {
      const said = must(await present(await signed(more)));
      expect(said.service_user).toEqual({ id, login });
      expect(await whoami(String(said.token))).toBe('200');
      expect(Date.parse(String(said.expires_at)) - kit.clock.now()).toBe(3_600_000);
    }
  });

  it.each(['ES256', 'RS256', 'PS256'])('with a key for %s', async (alg) => {
    key = await keyFor(alg);
    expect(codeOf(await present(await signed()))).toBe('200');
  });

  describe('what is refused, with one answer', () => {
    it.each<[string, Record<string, unknown>, string | RegExp]>([
      ['for another audience', { aud: 'https://elsewhere.example.com' }, 'claim aud'],
      ['for two audiences', { aud: [PUBLIC_URL, 'x'] }, 'several_audiences'],
      ['of another subject', { sub: 'pat' }, 'another_subject'],
      ['of another issuer', { iss: 'pat' }, 'another_subject'],
      ['without jti', { jti: undefined }, 'claim jti'],
      ['that never ends', { exp: undefined }, 'claim exp'],
      ['that lasts for hours', { exp: 4_000_000_000 }, 'lasts_too_long'],
      ['issued in the future', { iat: 1_800_000_000 }, /issued_in_the_future|lasts/],
      ['run out', { exp: 1_600_000_000 }, /EXPIRED/],
    ])('%s', async (_, more, reason) => {
      const said = await present(await signed(more));
      expect([said.statusCode, said.json().detail]).toEqual([401, 'This is not believed.']);
      if (typeof reason === 'string') expect(await ci.why()).toBe(reason);
      else expect(await ci.why()).toMatch(reason);
    });

    it('signed with another’s key, or under an id that is nobody’s', async () => {
      const stranger = await newKey('EdDSA');
      expect(codeOf(await present(await signed({}, stranger)))).toBe('unauthenticated');
      for (const id of ['nobody', 'a\u0000']) {
        expect(codeOf(await present(await signed({}, stranger, id)))).toBe('unauthenticated');
        expect(await ci.why()).toBe('no_key');
      }
    });

    it('a second time, also when both come at once', async () => {
      const assertion = await signed();
      const said = await Promise.all([1, 2, 3, 4].map(() => present(assertion)));
      expect(said.filter(({ statusCode }) => statusCode === 200)).toHaveLength(1);
      expect(codeOf(await present(assertion))).toBe('unauthenticated');
    });
  });

  test('removing the key, disabling the user or whoever added it ends the login', async () => {
    const token = async () => String(must(await present(await signed())).token);
    const first = await token();
    must(await ci.service.call(ci.tokens.sam, 'DELETE', `/users/${id}/keys/${key.row}`));
    expect(await whoami(first)).toBe('unauthenticated');
    expect(codeOf(await present(await signed()))).toBe('unauthenticated');
    key = await keyFor();
    const second = await token();
    const status = (user: string, to: string) =>
      ci.service.call(ci.tokens.pat, 'PATCH', `/users/${user}`, { status: to });
    must(await status(id, 'DISABLED'));
    expect(await whoami(second)).toBe('unauthenticated');
    expect(codeOf(await present(await signed()))).toBe('unauthenticated');
    expect(await ci.why()).toBe('service_user_inactive');
    must(await status(id, 'ACTIVE'));
    const adder = await makeUser(ci, `adder-${login}`, { groups: ['owners'] });
    const made = await newKey('EdDSA');
    const jwk = JSON.stringify(made.public_jwk);
    const added = must(await add(jwk, `adder-${login}`));
    key = { ...made, row: String(added.id), thumbprint: String(added.kid) };
    const third = await token();
    must(await status(adder, 'DISABLED'));
    expect(await whoami(third)).toBe('unauthenticated');
    expect(codeOf(await present(await signed()))).toBe('unauthenticated');
    expect(await ci.why()).toBe('adder_inactive');
  });

  test('whoever added the key counts as having issued its logins', async () => {
    const made = await newKey('EdDSA');
    const added = must(await add(JSON.stringify(made.public_jwk), 'pat'));
    key = { ...made, row: String(added.id), thumbprint: String(added.kid) };
    const token = String(must(await present(await signed())).token);
    const methods = await methodsOf(ci.service, token, ci.ids.server);
    const request = await raised(ci.service, token, methods[0]!);
    const row = await kit.db.sql
      .selectFrom('access_requests')
      .select(['requester_token_issued_by', 'binding'])
      .where('id', '=', request.id)
      .executeTakeFirstOrThrow();
    expect(row).toEqual({ requester_token_issued_by: ci.ids.users.pat, binding: null });
  });

  it('makes no token of its login', async () => {
    const token = String(must(await present(await signed())).token);
    const body = { name: 'x', expires_in_seconds: 60 };
    expect(codeOf(await ci.service.call(token, 'POST', '/tokens', body))).toBe('not_permitted');
  });

  describe('which keys', () => {
    const pem = (pair: { publicKey: { export(o: object): string | Buffer } }) =>
      String(pair.publicKey.export({ format: 'pem', type: 'spki' }));
    it('takes PEM', async () => {
      expect(codeOf(await add(await exportSPKI(await publicOf(await newKey('EdDSA')))))).toBe(
        '201',
      );
    });
    it('refuses a private key, and what is no key or a weak one', async () => {
      const made = await newKey('EdDSA');
      const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
      const curve = generateKeyPairSync('ec', { namedCurve: 'secp384r1' });
      const spoilt = [
        await exportPKCS8(made.private),
        JSON.stringify(await exportJWK(made.private)),
        JSON.stringify({ kty: 'oct', k: 'c2VjcmV0' }),
        ...[pem(weak), pem(curve), 'nonsense', '{}', '{"kty":"RSA"}'],
      ];
      for (const text of spoilt) {
        const said = await add(text);
        expect([text.slice(0, 30), codeOf(said)]).toEqual([text.slice(0, 30), 'invalid_request']);
        expect(said.body).not.toContain(text.slice(40, 80) || 'never');
      }
    });
    it('refuses one that is in use, and more than ten', async () => {
      const jwk = JSON.stringify(key.public_jwk);
      expect(codeOf(await add(jwk))).toBe('state_conflict');
      for (let i = 0; i < 9; i++) await keyFor();
      expect(codeOf(await add(JSON.stringify((await newKey('EdDSA')).public_jwk)))).toBe(
        'state_conflict',
      );
    });
    it('takes a proof where its owner has no more than a login', async () => {
      const sam = await loginAs(kit, ci, 'sam');
      const add = async () => {
        const public_key = JSON.stringify((await newKey('EdDSA')).public_jwk);
        const body = { name: 'k', public_key };
        return codeOf(await ci.service.call(sam.token, 'POST', `/users/${id}/keys`, body));
      };
      expect(await add()).toBe('mfa_required');
      await prove(kit, sam);
      expect(await add()).toBe('201');
    });

    it('is for its owner and pam_admin', async () => {
      const jwk = async () => JSON.stringify((await newKey('EdDSA')).public_jwk);
      expect(codeOf(await add(await jwk(), 'ellis'))).toBe('not_found');
      expect(codeOf(await add(await jwk(), 'sam'))).toBe('201');
      expect(codeOf(await add(await jwk(), 'pat'))).toBe('201');
      id = ci.ids.users.ellis!;
      expect(codeOf(await add(await jwk(), 'pat'))).toBe('not_found');
    });
  });
});
