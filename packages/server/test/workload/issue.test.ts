import { createHmac, createPublicKey } from 'node:crypto';
import { UnsecuredJWT } from 'jose';
import { afterEach, describe, expect, it, test } from 'vitest';
import { Refusal } from '../../src/platform/errors.ts';
import { codeOf, makeUser } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { timeoutsStill } from '../kit/still.ts';
import { newKey } from './issuer.ts';
import { addConnection, PINNED, withCi } from './world.ts';

onBoth('a job logs in with its provider’s token', (kit) => {
  const ci = withCi(kit);
  // The limit of logins is not what these are about.
  let connection = 'ci';
  let n = 0;
  const fresh = async (more: Record<string, unknown> = {}) => {
    connection = `ci-${Math.random().toString(36).slice(2)}`;
    ci.address = `192.0.2.${n++ % 250}`;
    const { issuer } = ci;
    return addConnection(ci, connection, { issuer: issuer.url, ...more });
  };
  const present = (jwt: string) => ci.present(jwt, connection);
  const knock = async (more?: Record<string, unknown>, key?: Parameters<typeof ci.knock>[1]) =>
    present(await ci.issuer.sign(ci.claims(more), key));
  const refused = async (said: Awaited<ReturnType<typeof knock>>, reason: string | RegExp) => {
    expect([said.statusCode, said.json().detail]).toEqual([401, 'This is not believed.']);
    const why = await ci.why();
    if (typeof reason === 'string') expect(why).toBe(reason);
    else expect(why).toMatch(reason);
  };
  afterEach(() => {
    ci.issuer.mood = 'ok';
  });

  test('it is its service user then, for an hour, and what it says of itself is on record', async () => {
    await fresh();
    const said = must(await knock()) as { token: string; expires_at: string };
    expect(said).toMatchObject({ service_user: { id: ci.robot, login: 'robot' } });
    expect(Date.parse(said.expires_at) - kit.clock.now()).toBe(3_600_000);
    const me = must(await ci.service.call(said.token, 'GET', '/whoami'));
    expect(me).toMatchObject({ user: { login: 'robot' } });
    const event = await kit.db.sql
      .selectFrom('audit_events')
      .selectAll()
      .where('type', '=', 'pam.workload.token.issue')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    expect(event.details).toMatchObject({ job: { repository: { id: '74' }, run_id: '1' } });
    kit.clock.advance(3_600);
    expect(codeOf(await ci.service.call(said.token, 'GET', '/whoami'))).toBe('unauthenticated');
  });

  describe('what is refused, with one answer', () => {
    it.each<[string, Record<string, unknown>, string | RegExp]>([
      ['for another audience', { aud: 'https://github.com/octo' }, 'claim aud'],
      [
        'for this one and another',
        { aud: ['https://postern.example.test', 'x'] },
        'several_audiences',
      ],
      ['with no audience', { aud: undefined }, 'claim aud'],
      ['of another issuer', { iss: 'https://token.example.com' }, 'claim iss'],
      ['that ends in an hour, presented after 16 minutes', {}, 'too_old'],
      ['run out', {}, /^(ERR_JWT_EXPIRED|claim exp)/],
      ['that begins later', { nbf: 4_000_000_000 }, 'claim nbf'],
      ['issued in the future', { iat: 4_000_000_000, exp: 4_000_000_300 }, 'issued_in_the_future'],
      ['that never ends', { exp: undefined }, 'claim exp'],
      ['without when it was issued', { iat: undefined }, 'claim iat'],
      ['without jti', { jti: undefined }, 'claim jti'],
      ['with an empty jti', { jti: '' }, 'no_jti'],
      ['with a number for jti', { jti: 7 }, /no_jti|claim jti/],
      ['of a pull request', { event_name: 'pull_request' }, 'pull_request'],
      ['of a pull request’s target', { event_name: 'pull_request_target' }, 'pull_request'],
      ['of a review', { event_name: 'pull_request_review' }, 'pull_request'],
      ['that says no event', { event_name: undefined }, 'no_event'],
      ['of a pull request’s merge', { ref: 'refs/pull/7/merge' }, 'pull_request'],
      ['with a head_ref', { head_ref: 'feature' }, 'pull_request'],
      ['of another repository of the same name', { repository_id: '75' }, 'no_rule'],
      ['of another owner', { repository_owner_id: '66' }, 'no_rule'],
      ['with the number as a number', { repository_id: 74 }, /no_rule|claims_missing/],
      ['with the number in a list', { repository_id: ['74'] }, /no_rule|claims_missing/],
      [
        'with claims that every object has',
        { repository_id: { toString: '74' } },
        /no_rule|claims_missing/,
      ],
      ['of another workflow', { workflow_ref: `${PINNED.workflow_ref}x` }, 'no_rule'],
      ['of another environment', { environment: 'staging' }, 'no_rule'],
      ['of no environment', { environment: undefined }, 'no_rule'],
      ['without a commit', { sha: undefined }, 'claims_missing'],
      ['without who started it', { actor_id: undefined }, 'claims_missing'],
      ['with a claim as long as a book', { sha: 'a'.repeat(5_000) }, 'claim_too_long'],
      ['with somebody’s name as long as a book', { actor: 'a'.repeat(5_000) }, 'claim_too_long'],
      ['with text that cannot be stored', { actor: 'a\u0000' }, 'claim_not_unicode'],
    ])('%s', async (name, claims, reason) => {
      await fresh();
      const jwt = await ci.issuer.sign(ci.claims(claims));
      if (name === 'run out') kit.clock.advance(331);
      if (name.includes('16 minutes')) {
        const now = Math.floor(kit.clock.now() / 1000);
        const long = await ci.issuer.sign(ci.claims({ exp: now + 3_600 }));
        kit.clock.advance(960);
        return refused(await present(long), reason);
      }
      await refused(await present(jwt), reason);
    });

    test('a token that ends in hours, as providers make them, for its first 15 minutes', async () => {
      await fresh();
      const now = Math.floor(kit.clock.now() / 1000);
      expect(codeOf(await knock({ exp: now + 21_600 }))).toBe('200');
    });

    test('a renamed repository is the same; one that got its name is not', async () => {
      const { workflow_ref: _, ...numbers } = PINNED;
      const rule = { claims: { ...numbers, workflow_path: '.github/workflows/deploy.yml' } };
      await fresh({
        rules: [{ ...rule, service_user: 'robot', ref_pattern: 'refs/heads/release/*' }],
      });
      const ref = 'refs/heads/release/7';
      const named = (repository: string, at = ref) => ({
        ...{ repository, ref, workflow_ref: `${repository}/.github/workflows/deploy.yml@${at}` },
      });
      expect(codeOf(await knock(named('octo/shop')))).toBe('200');
      expect(codeOf(await knock(named('octo/store')))).toBe('200');
      await refused(await knock({ ...named('octo/shop'), repository_id: '99' }), 'no_rule');
      await refused(await knock(named('octo/shop', 'refs/heads/mine')), 'no_rule');
      await refused(
        await knock({ ...named('octo/shop'), ref: 'refs/heads/release/a/b' }),
        'no_rule',
      );
      const other = { ...named('octo/shop'), repository: 'octo/else' };
      await refused(await knock(other), 'no_rule');
    });

    test('claims that mean two service users mean none', async () => {
      await makeUser(ci, `second-${kit.kind}`, { type: 'service', owners: ['sam'] });
      const rules = ['robot', `second-${kit.kind}`].map((service_user) => ({
        ...{ service_user, claims: PINNED },
      }));
      await fresh({ rules });
      await refused(await knock(), 'several_service_users');
    });

    test('an unsigned token, and one that is signed with the public key as a secret', async () => {
      await fresh();
      await refused(await present(new UnsecuredJWT(ci.claims()).encode()), 'header');
      const [key] = ci.issuer.keys;
      const body = [{ alg: 'HS256', kid: key!.kid }, ci.claims()]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      const publicKey = createPublicKey({ key: key!.public_jwk as never, format: 'jwk' });
      for (const secret of [
        publicKey.export({ format: 'pem', type: 'spki' }),
        JSON.stringify(key!.public_jwk),
      ]) {
        const mac = createHmac('sha256', secret).update(body).digest('base64url');
        await refused(await present(`${body}.${mac}`), 'header');
      }
    });

    test('a token of a key that is not the issuer’s, under the id of one that is', async () => {
      await fresh();
      const stranger = { ...(await newKey()), kid: ci.issuer.keys[0]!.kid };
      await refused(await knock({}, stranger), 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED');
    });

    test('no JWT at all, and 100 kB of it', async () => {
      await fresh();
      await refused(await present('nonsense'), 'no_jwt');
      await refused(await present('a.b.c'), 'no_jwt');
      expect(codeOf(await present(`${'x'.repeat(100_000)}.y.z`))).toBe('invalid_request');
      const long = await ci.issuer.sign(ci.claims({ more: 'x'.repeat(100_000) }));
      expect(codeOf(await present(long))).toBe('invalid_request');
    });

    test('at a connection that is not there, with the same answer', async () => {
      const jwt = await ci.issuer.sign(ci.claims());
      await refused(await ci.present(jwt, 'nowhere'), 'no_connection');
    });
  });

  test('a token serves once, however many present it at once', async () => {
    await fresh();
    const jwt = await ci.issuer.sign(ci.claims());
    const said = await Promise.all(Array.from({ length: 8 }, () => present(jwt)));
    expect(said.filter((one) => one.statusCode === 200)).toHaveLength(1);
    await refused(await present(jwt), 'replayed');
    kit.clock.advance(60);
    await refused(await present(jwt), 'replayed');
  });

  test('who knocks too often is told to wait, whatever he brings', async () => {
    await fresh();
    const codes = new Set<string>();
    for (let i = 0; i < 40; i++) codes.add(codeOf(await present('nonsense')));
    expect(codes).toEqual(new Set(['unauthenticated', 'rate_limited']));
  });

  test('with a clock that cannot be trusted nobody logs in', async () => {
    await fresh();
    ci.service.clock.refusal = new Refusal('clock_unsafe', 'No.');
    const code = codeOf(await knock());
    ci.service.clock.refusal = undefined;
    expect(code).toBe('clock_unsafe');
  });

  describe('the issuer’s keys', () => {
    // A set is kept by its URL.
    const elsewhere = () => fresh({ jwks_url: `${ci.issuer.url}/${Math.random()}/jwks` });

    test('a new key is found when the first token of it comes; made-up ones do not make it ask', async () => {
      await elsewhere();
      must(await knock());
      const before = ci.issuer.asked;
      ci.issuer.keys = [await newKey('ES256'), ...ci.issuer.keys];
      must(await knock());
      expect(ci.issuer.asked).toBe(before + 1);
      for (let i = 0; i < 5; i++)
        await refused(await knock({}, await newKey('EdDSA')), 'ERR_JWKS_NO_MATCHING_KEY');
      expect(ci.issuer.asked).toBe(before + 1);
    });

    it.each<['down' | 'huge' | 'redirect' | 'nonsense', string]>([
      ['down', 'keys_answered_503'],
      ['huge', 'keys_too_large'],
      ['redirect', 'keys_answered_302'],
      ['nonsense', 'keys_no_json'],
    ])('%s: nobody is believed, and it is left alone for a while', async (mood, reason) => {
      await elsewhere();
      ci.issuer.mood = mood;
      await refused(await knock(), reason);
      const before = ci.issuer.asked;
      await refused(await knock(), 'keys_failed_just_now');
      expect(ci.issuer.asked).toBe(before);
    });

    test('slow: given up after 5 s, while others are served', () =>
      timeoutsStill(async ({ pass, until }) => {
        await elsewhere();
        const before = ci.issuer.asked;
        ci.issuer.mood = 'slow';
        const waiting = knock();
        await until(() => ci.issuer.asked > before);
        pass(4_999);
        expect(codeOf(await ci.service.call(ci.tokens.ellis, 'GET', '/whoami'))).toBe('200');
        pass(1);
        await refused(await waiting, 'keys_too_slow');
      }));

    test('at an address of the inner network: not asked', async () => {
      for (const host of ['10.0.0.1', '169.254.169.254', '[::1]', 'localhost']) {
        await fresh({ jwks_url: `https://${host}/jwks` });
        await refused(await knock(), 'keys_at_private_address');
      }
    });

    test('a shared key among them is no key', async () => {
      await elsewhere();
      const k = Buffer.from('secret').toString('base64url');
      const own = ci.issuer.keys;
      const shared = { ...own[0]!, public_jwk: { kty: 'oct', k, kid: 'shared', alg: 'HS256' } };
      ci.issuer.keys = [shared];
      await refused(await knock({}, own[0]!), 'ERR_JWKS_NO_MATCHING_KEY');
      ci.issuer.keys = own;
    });
  });
});
