import { beforeEach, describe, expect, it } from 'vitest';
import { onBoth } from '../kit/index.ts';
import { PUBLIC_URL } from '../kit/service.ts';
import type { Browser, Client } from './client.ts';
import { withOauth } from './world.ts';

interface Device {
  device_code: string;
  user_code: string;
  verification_uri: string;
  verification_uri_complete: string;
  expires_in: number;
}

onBoth('login by device code', (kit) => {
  const world = withOauth(kit);
  let client: Client;
  beforeEach(async () => {
    client = await world.client();
  });

  const start = async (form: Record<string, string> = {}): Promise<Device> => {
    const answer = await client.post(
      '/oauth/device/auth',
      { scope: 'openid', ...form },
      { proof: null },
    );
    expect(answer.statusCode).toBe(200);
    return answer.json<Device>();
  };
  const csrf = (login: string): string => `csrf of ${world.ids[login]}`;
  const answer = (browser: Browser, user_code: string, form: Record<string, string> = {}) =>
    browser.post('/oauth/device', { csrf: csrf('uma'), user_code, answer: 'allow', ...form });
  const error = async (device_code: string): Promise<string> =>
    (await client.poll(device_code)).json().error;

  it('gives a code that people can read and type', async () => {
    const device = await start();
    expect(device.user_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
    expect(device).toMatchObject({
      verification_uri: `${PUBLIC_URL}/oauth/device`,
      verification_uri_complete: `${PUBLIC_URL}/oauth/device?user_code=${device.user_code}`,
      expires_in: 600,
    });
  });

  it('shows the person the code, the program and the address, and logs in after his yes', async () => {
    const device = await start({ device_name: 'build-host' });
    expect(await error(device.device_code)).toBe('authorization_pending');
    const browser = world.browser('uma');
    const page = await browser.get(device.verification_uri_complete);
    expect(page.statusCode).toBe(200);
    for (const text of [device.user_code, 'sft, build-host', '127.0.0.1', 'Uma'])
      expect(page.body).toContain(text);
    // Following the link has decided nothing.
    expect(await error(device.device_code)).toBe('authorization_pending');
    expect((await answer(browser, device.user_code)).statusCode).toBe(200);
    const tokens = (await client.poll(device.device_code)).json();
    expect(tokens).toMatchObject({ token_type: 'DPoP', expires_in: 300 });
    const who = (await client.call(tokens.access_token, 'GET', '/whoami')).json();
    expect(who.user.login).toBe('uma');
    const row = await kit.db.sql
      .selectFrom('tokens')
      .selectAll()
      .where('id', '=', who.token.id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({ kind: 'login', name: 'sft, build-host' });
    expect(row.expires_at - kit.clock.now()).toBe(12 * 3_600_000);
    expect((await client.refresh(tokens.refresh_token)).statusCode).toBe(200);
  });

  it('takes the code as people type it', async () => {
    const { user_code } = await start();
    const typed = ` ${user_code.toLowerCase().replace('-', ' ')} `;
    const page = await world
      .browser('uma')
      .get(`/oauth/device?user_code=${encodeURIComponent(typed)}`);
    expect(page.body).toContain(user_code);
  });

  it('led there by another site he is asked for the code, and none is counted as his', async () => {
    const { user_code, verification_uri_complete } = await start();
    const led = { 'sec-fetch-site': 'cross-site' };
    const browser = world.browser('dana');
    for (let i = 0; i < 11; i++)
      expect((await browser.get('/oauth/device?user_code=BCDF-GHJK', led)).statusCode).toBe(200);
    const asked = await browser.get(verification_uri_complete, led);
    expect(asked.body).toContain(`value="${user_code}"`);
    expect(asked.body).not.toContain('Logs in as');
    expect((await browser.get(verification_uri_complete)).body).toContain('Logs in as');
  });

  it('sends who is not logged in to the login page, and back to the code', async () => {
    const { user_code } = await start();
    const page = await world.browser().get(`/oauth/device?user_code=${user_code}`);
    expect(page.statusCode).toBe(303);
    const next = `/oauth/device?user_code=${user_code.replace('-', '')}`;
    expect(page.headers.location).toBe(`/login?next=${encodeURIComponent(next)}`);
    const posted = await answer(world.browser(), user_code);
    expect(posted.statusCode).toBe(303);
  });

  it('says so to the program when the person says no', async () => {
    const { user_code, device_code } = await start();
    expect((await answer(world.browser('uma'), user_code, { answer: 'deny' })).statusCode).toBe(
      200,
    );
    expect(await error(device_code)).toBe('access_denied');
  });

  it('shows whatever it is told as text', async () => {
    const { user_code } = await start({ device_name: '<script>alert(1)</script>' });
    const { body, headers } = await world
      .browser('uma')
      .get(`/oauth/device?user_code=${user_code}`);
    expect(body).not.toContain('<script>');
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
  });

  it('takes no text that cannot be stored, which is no fault of ours', async () => {
    const form = { scope: 'openid', device_name: 'a\u0000' };
    const answer = await client.post('/oauth/device/auth', form, { proof: null });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toBe('invalid_request');
    expect(world.service.faults).toEqual([]);
  });

  describe('deny:', () => {
    it('a form that is not from the page (CSRF), and one of another person', async () => {
      const { user_code, device_code } = await start();
      for (const form of [{ csrf: '' }, { csrf: csrf('bo') }, { csrf: 'x' }])
        expect((await answer(world.browser('uma'), user_code, form)).statusCode).toBe(403);
      expect(await error(device_code)).toBe('authorization_pending');
    });

    it('something that is not the form', async () => {
      const { user_code, device_code } = await start();
      expect((await answer(world.browser('uma'), user_code, { answer: 'maybe' })).statusCode).toBe(
        400,
      );
      expect(await error(device_code)).toBe('authorization_pending');
    });

    it('two answers: the first counts, whoever gives the second', async () => {
      const { user_code, device_code } = await start();
      const both = await Promise.all([
        answer(world.browser('uma'), user_code),
        answer(world.browser('bo'), user_code, { csrf: csrf('bo') }),
      ]);
      expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([200, 404]);
      expect((await client.poll(device_code)).statusCode).toBe(200);
      expect((await answer(world.browser('uma'), user_code)).statusCode).toBe(404);
    });

    it('a device code twice: the login it gave is over', async () => {
      const { user_code, device_code } = await start();
      await answer(world.browser('uma'), user_code);
      const { access_token } = (await client.poll(device_code)).json();
      expect((await client.poll(device_code)).statusCode).toBe(400);
      expect((await client.call(access_token, 'GET', '/whoami')).statusCode).toBe(401);
    });

    it('a code after ten minutes, to the person and to the program', async () => {
      const { user_code, device_code } = await start();
      kit.clock.advance(601);
      expect((await answer(world.browser('uma'), user_code)).statusCode).toBe(404);
      expect(await error(device_code)).toBe('expired_token');
    });

    it('a user code in the place of a device code', async () => {
      const { user_code } = await start();
      expect(await error(user_code)).toBe('invalid_grant');
    });

    it('to redeem without a proof', async () => {
      const { user_code, device_code } = await start();
      await answer(world.browser('uma'), user_code);
      expect((await client.poll(device_code, { proof: null })).statusCode).toBe(400);
    });

    it('more than ten wrong codes of one person in ten minutes', async () => {
      const browser = world.browser('ellis');
      for (let i = 0; i < 10; i++)
        expect((await browser.get('/oauth/device?user_code=BCDF-GHJK')).statusCode).toBe(404);
      const { user_code } = await start();
      expect((await browser.get(`/oauth/device?user_code=${user_code}`)).statusCode).toBe(429);
      const posted = await answer(browser, user_code, { csrf: csrf('ellis') });
      expect(posted.statusCode).toBe(429);
      expect(
        (await world.browser('uma').get(`/oauth/device?user_code=${user_code}`)).statusCode,
      ).toBe(200);
    });
  });

  it('the pages of oidc-provider itself are not reached', async () => {
    for (const url of ['/oauth/device/abc', '/oauth/session/end', '/oauth/me', '/oauth/request'])
      expect((await world.service.app.inject(url)).statusCode).toBe(404);
    for (const url of ['/oauth/auth', '/oauth/reg', '/oauth/token/introspection']) {
      const sent = await world.service.app.inject({ method: 'POST', url });
      expect(sent.statusCode).toBe(404);
    }
    expect(world.service.faults).toEqual([]);
  });
});
