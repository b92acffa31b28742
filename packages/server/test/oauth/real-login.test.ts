import { instant } from '@postern/shared';
import { beforeAll, expect, it } from 'vitest';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { PUBLIC_URL, prolongTokens } from '../kit/service.ts';
import { addApp, Browser, csrfIn, PASSWORD, type Person, person } from '../login/browser.ts';
import { authorizeUrl, Client, newKey, type Tokens } from './client.ts';

const VERIFIER = 'v'.repeat(43);

onBoth('a program is logged in through the login page', (kit) => {
  const demo = withDemo(kit);
  let who: Person;
  let client: Client;
  beforeAll(async () => {
    // oidc-provider reads the machine's clock.
    kit.clock.set(instant(Math.floor(performance.timeOrigin + performance.now())));
    await prolongTokens(kit);
    who = await person(demo);
    client = new Client(
      () => demo.service,
      () => kit.clock.now(),
      await newKey(),
    );
  });

  /** Follows pages and redirections to the loopback address. */
  async function follow(browser: Browser, from: string): Promise<URL> {
    let to = from;
    for (let hops = 0; hops < 6; hops++) {
      const here = to.startsWith(PUBLIC_URL) ? to.slice(PUBLIC_URL.length) : to;
      let at = await browser.get(here);
      if (csrfIn(at) !== '') at = await browser.post(here, { csrf: csrfIn(at), answer: 'allow' });
      to = at.headers.location ?? /content="0; ?url=([^"]+)"/.exec(at.body)?.[1] ?? '';
      if (to.startsWith('http://127.0.0.1')) return new URL(to);
    }
    throw new Error(`led to ${to}`);
  }

  it('by loopback: to the login page and back, into a login of that person', async () => {
    const browser = new Browser(demo);
    const started = await browser.get(authorizeUrl(VERIFIER));
    const interaction = started.headers.location ?? '';
    const login = (await browser.get(interaction)).headers.location ?? '';
    expect(login).toMatch(/^\/login\?next=/);
    const next = new URL(login, PUBLIC_URL).searchParams.get('next') ?? '';
    const csrf = csrfIn(await browser.get(login));
    const said = await browser.post('/login', { csrf, login: who.login, password: PASSWORD, next });
    expect(said.statusCode).toBeLessThan(400);
    const code = (await follow(browser, next)).searchParams.get('code') ?? '';
    const tokens = (await client.redeem(code, VERIFIER)).json<Tokens>();
    const me = (await client.call(tokens.access_token, 'GET', '/whoami')).json();
    expect(me.user.login).toBe(who.login);
  });

  it.each([{ prompt: 'login' }, { max_age: '0' }, { max_age: '60' }])(
    'asked for a fresh login (%o), it takes none that was there before',
    async (params) => {
      const browser = new Browser(demo);
      await browser.login(who.login);
      kit.clock.advance(120);
      const started = await browser.get(authorizeUrl(VERIFIER, params as Record<string, string>));
      const interaction = started.headers.location ?? '';
      const to = (await browser.get(interaction)).headers.location ?? '';
      expect(to).toBe(`/login?next=${encodeURIComponent(interaction)}&prompt=login`);
      await browser.submit(to, '/login', { login: who.login, password: PASSWORD });
      expect((await follow(browser, interaction)).searchParams.get('code')).not.toBeNull();
    },
  );

  it('a login that is young enough for max_age serves', async () => {
    const browser = new Browser(demo);
    await browser.login(who.login);
    kit.clock.advance(120);
    const url = authorizeUrl(VERIFIER, { max_age: '600' });
    expect((await follow(browser, url)).searchParams.get('code')).not.toBeNull();
  });

  it('what is made of a login in a browser ends when that could have lasted no longer', async () => {
    const browser = new Browser(demo);
    await browser.login(who.login);
    const auth_time = kit.clock.now();
    for (let hours = 0; hours < 22; hours++) {
      kit.clock.advance(1_800);
      await browser.get('/account');
    }
    const code = (await follow(browser, authorizeUrl(VERIFIER))).searchParams.get('code') ?? '';
    const { access_token } = (await client.redeem(code, VERIFIER)).json<Tokens>();
    const { token } = (await client.call(access_token, 'GET', '/whoami')).json();
    expect(Date.parse(token.expires_at)).toBe(auth_time + 12 * 3_600_000);
  });

  it('by device code, after his yes with the token of his own form', async () => {
    const browser = new Browser(demo);
    await browser.login(who.login);
    const form = { scope: 'openid' };
    const device = (await client.post('/oauth/device/auth', form, { proof: null })).json();
    const page = `/oauth/device?user_code=${device.user_code}`;
    const foreign = await browser.post('/oauth/device', {
      csrf: 'x'.repeat(43),
      user_code: device.user_code,
      answer: 'allow',
    });
    expect(foreign.statusCode).toBe(403);
    const fields = { user_code: device.user_code, answer: 'allow' };
    expect((await browser.submit(page, '/oauth/device', fields)).statusCode).toBe(200);
    const tokens = (await client.poll(device.device_code)).json<Tokens>();
    const me = (await client.call(tokens.access_token, 'GET', '/whoami')).json();
    expect(me.user.login).toBe(who.login);
  });

  it('logging out everywhere ends it, and the login of the browser', async () => {
    const browser = new Browser(demo);
    await browser.login(who.login);
    await addApp(kit, browser);
    const { searchParams } = await follow(browser, authorizeUrl(VERIFIER));
    const tokens = (await client.redeem(searchParams.get('code') ?? '', VERIFIER)).json<Tokens>();
    expect((await client.call(tokens.access_token, 'GET', '/whoami')).statusCode).toBe(200);
    expect((await client.call(tokens.access_token, 'DELETE', '/logins')).statusCode).toBe(204);
    expect((await client.call(tokens.access_token, 'GET', '/whoami')).statusCode).toBe(401);
    expect((await browser.get('/account')).statusCode).toBe(303);
  });
});
