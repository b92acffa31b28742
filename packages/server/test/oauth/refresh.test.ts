import { beforeEach, describe, expect, it } from 'vitest';
import { Refusal } from '../../src/platform/errors.ts';
import { onBoth } from '../kit/index.ts';
import { type Client, newKey, type Tokens } from './client.ts';
import { withOauth } from './world.ts';

const targetOf = (targets: unknown): string => (targets as { id: string }[])[0]?.id ?? '';

onBoth('attack 10: refresh tokens', (kit) => {
  const world = withOauth(kit);
  let client: Client;
  let tokens: Tokens;

  beforeEach(async () => {
    client = await world.client();
    tokens = await client.login(world.browser('uma'));
  });

  const whoami = async (access_token: string) =>
    (await client.call(access_token, 'GET', '/whoami')).statusCode;
  const refreshed = async (refresh_token: string): Promise<Tokens> => {
    const answer = await client.refresh(refresh_token);
    expect(answer.statusCode).toBe(200);
    return answer.json<Tokens>();
  };
  const refused = async (refresh_token: string, bent: Parameters<Client['refresh']>[1] = {}) => {
    const answer = await client.refresh(refresh_token, bent);
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toBe('invalid_grant');
  };
  const ends = async () =>
    await kit.db.sql
      .selectFrom('audit_events')
      .select(['actor', 'details', 'targets', 'client_address'])
      .where('type', '=', 'pam.login.end')
      .orderBy('id', 'desc')
      .execute();

  it('allow: each gives new tokens; the login and its end stay', async () => {
    const login = (await client.call(tokens.access_token, 'GET', '/whoami')).json().token;
    const next = await refreshed(tokens.refresh_token);
    expect(next.refresh_token).not.toBe(tokens.refresh_token);
    const after = (await client.call(next.access_token, 'GET', '/whoami')).json().token;
    expect(after).toEqual(login);
    expect(await whoami((await refreshed(next.refresh_token)).access_token)).toBe(200);
  });

  it('with a clock that cannot be trusted nothing is issued, and nothing is used up', async () => {
    world.service.clock.refusal = new Refusal('clock_unsafe', 'The clock is wrong.');
    const form = { scope: 'openid' };
    for (const answer of [
      await client.refresh(tokens.refresh_token),
      await client.post('/oauth/device/auth', form, { proof: null }),
    ])
      expect([answer.statusCode, answer.json().error]).toEqual([503, 'temporarily_unavailable']);
    world.service.clock.refusal = undefined;
    expect(await whoami((await refreshed(tokens.refresh_token)).access_token)).toBe(200);
  });

  it('deny: one that was rotated before: the whole login is over, and it is on record', async () => {
    const next = await refreshed(tokens.refresh_token);
    expect(await whoami(next.access_token)).toBe(200);
    await refused(tokens.refresh_token);
    expect(await whoami(next.access_token)).toBe(401);
    expect(await whoami(tokens.access_token)).toBe(401);
    await refused(next.refresh_token);
    const [event] = await ends();
    expect(event).toMatchObject({ actor: { type: 'system' }, details: { reason: 'reused' } });
    expect(event?.client_address).toBe('127.0.0.1');
    const rows = await kit.db.sql
      .selectFrom('oauth_models')
      .select('kind')
      .where('token_id', '=', targetOf(event?.targets))
      .execute();
    expect(rows).toEqual([]);
  });

  it('deny: rotated at one replica, used again at the other', async () => {
    const next = await refreshed(tokens.refresh_token);
    await refused(tokens.refresh_token, { service: world.replica });
    expect(await whoami(next.access_token)).toBe(401);
  });

  it('deny: the same many times at once, at two replicas: at most one new token, and no login', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        client.refresh(tokens.refresh_token, { service: i % 2 ? world.replica : world.service }),
      ),
    );
    expect(answers.filter(({ statusCode }) => statusCode === 200).length).toBeLessThanOrEqual(1);
    expect(answers.filter(({ statusCode }) => statusCode >= 500)).toEqual([]);
    for (const answer of answers.filter(({ statusCode }) => statusCode === 200)) {
      const { access_token, refresh_token } = answer.json<Tokens>();
      expect(await whoami(access_token)).toBe(401);
      await refused(refresh_token);
    }
    expect(await whoami(tokens.access_token)).toBe(401);
  });

  it('deny: a code that is redeemed twice ends what came of it', async () => {
    const { code, verifier } = await world.browser('uma').authorize();
    const first = (await client.redeem(code, verifier)).json<Tokens>();
    expect(await whoami(first.access_token)).toBe(200);
    expect((await client.redeem(code, verifier)).statusCode).toBe(400);
    expect(await whoami(first.access_token)).toBe(401);
    await refused(first.refresh_token);
  });

  it('deny: a code many times at once, at two replicas: at most one login, which ends', async () => {
    const { code, verifier } = await world.browser('uma').authorize();
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) =>
        client.redeem(code, verifier, { service: i % 2 ? world.replica : world.service }),
      ),
    );
    const good = answers.filter(({ statusCode }) => statusCode === 200);
    expect(good.length).toBeLessThanOrEqual(1);
    for (const answer of good) expect(await whoami(answer.json<Tokens>().access_token)).toBe(401);
  });

  describe('deny, and the login goes on:', () => {
    it('without a proof, or with one by another key', async () => {
      await refused(tokens.refresh_token, { proof: null });
      await refused(tokens.refresh_token, { key: await newKey() });
      await refreshed(tokens.refresh_token);
    });

    it('a proof that came before', async () => {
      const proof = await client.proof('POST', 'https://postern.example.test/oauth/token');
      expect((await client.refresh(tokens.refresh_token, { proof })).statusCode).toBe(200);
      const next = await client.login(world.browser('uma'));
      await refused(next.refresh_token, { proof });
      expect(await whoami(next.access_token)).toBe(200);
    });

    it('an access token in its place', async () => {
      await refused(tokens.access_token);
      expect(await whoami(tokens.access_token)).toBe(200);
    });

    it('a thief with a rotated one and another key', async () => {
      const next = await refreshed(tokens.refresh_token);
      await refused(tokens.refresh_token, { key: await newKey() });
      expect(await whoami(next.access_token)).toBe(200);
    });
  });

  it('deny: after logout', async () => {
    const { refresh_token, access_token } = tokens;
    const answer = await client.post('/oauth/token/revocation', { token: refresh_token });
    expect(answer.statusCode).toBe(200);
    await refused(refresh_token);
    expect(await whoami(access_token)).toBe(401);
    const [event] = await ends();
    expect(event).toMatchObject({
      actor: { type: 'user', id: world.ids.uma },
      details: { reason: 'logout' },
    });
  });

  it('deny: after its row of tokens was revoked by the API', async () => {
    const { token } = (await client.call(tokens.access_token, 'GET', '/whoami')).json();
    expect(
      (await client.call(tokens.access_token, 'DELETE', `/tokens/${token.id}`)).statusCode,
    ).toBe(204);
    expect(await whoami(tokens.access_token)).toBe(401);
    await refused(tokens.refresh_token);
  });

  it('deny: after logging out everywhere; others and static tokens go on', async () => {
    const [other, theirs] = [await world.client(), await world.client()];
    const mine = await other.login(world.browser('uma'));
    const bos = await theirs.login(world.browser('bo'));
    expect((await client.call(tokens.access_token, 'DELETE', '/logins')).statusCode).toBe(204);
    for (const one of [tokens, mine]) {
      expect(await whoami(one.access_token)).toBe(401);
      await refused(one.refresh_token);
    }
    expect((await other.call(mine.access_token, 'GET', '/whoami')).statusCode).toBe(401);
    expect((await theirs.call(bos.access_token, 'GET', '/whoami')).statusCode).toBe(200);
    expect((await world.service.call(world.tokens.uma, 'GET', '/whoami')).statusCode).toBe(200);
  });

  it('deny: after the person was disabled, and when he is active again', async () => {
    const theirs = await world.client();
    const login = await theirs.login(world.browser('ana'));
    const set = async (status: string) => {
      const path = `/users/${world.ids.ana}`;
      const { bootstrap } = world.service;
      expect((await world.service.call(bootstrap, 'PATCH', path, { status })).statusCode).toBe(200);
    };
    await set('DISABLED');
    expect((await theirs.call(login.access_token, 'GET', '/whoami')).statusCode).toBe(401);
    expect((await theirs.refresh(login.refresh_token)).statusCode).toBe(400);
    await set('ACTIVE');
    expect((await theirs.call(login.access_token, 'GET', '/whoami')).statusCode).toBe(401);
    expect((await theirs.refresh(login.refresh_token)).statusCode).toBe(400);
  });

  it('deny: when the login is as long as it may be, however often it was refreshed', async () => {
    const next = await refreshed(tokens.refresh_token);
    kit.clock.advance(12 * 3600);
    await refused(next.refresh_token);
    expect(await whoami(next.access_token)).toBe(401);
  });
});
