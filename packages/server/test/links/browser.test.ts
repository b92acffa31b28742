import { expect, it } from 'vitest';
import { makeUser } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { addApp, Browser, PASSWORD, setPassword } from '../login/browser.ts';
import { withScene } from './scene.ts';
import { hiddenFields, traces } from './world.ts';

onBoth('the link in a mail, with a login in the browser', (kit) => {
  const s = withScene(kit);
  const { demo } = s;
  const loggedIn = async (login: string, id: string, by?: string): Promise<Browser> => {
    await setPassword(demo, id, by);
    const browser = new Browser(demo);
    await browser.login(login);
    return browser;
  };
  const withoutFactors = async (id: string) =>
    must(await demo.service.call(demo.service.bootstrap, 'DELETE', `/users/${id}/factors`));
  /** With a second factor, which a decision takes. */
  const proven = async (login: string, id: string, by?: string): Promise<Browser> => {
    await withoutFactors(id);
    const browser = await loggedIn(login, id, by);
    await addApp(kit, browser);
    return browser;
  };
  const dana = () => proven('dana', demo.ids.users.dana!);
  const decide = async (browser: Browser, more: Record<string, string> = {}) =>
    browser.post(s.link, {
      ...hiddenFields(await browser.get(s.link)),
      decision: 'approve',
      ...more,
    });
  const refused = async (said: { statusCode: number }, status: number) => {
    expect(said.statusCode).toBe(status);
    expect((await traces(kit, s.request.id)).decisions).toBe(0);
  };

  it('the person it was made for decides without a token', async () => {
    const browser = await dana();
    const page = await browser.get(s.link);
    expect(page.body).toContain('You are logged in as Dana Reyes (dana).');
    expect(page.body).not.toContain('access_token');
    const said = await decide(browser);
    expect([said.statusCode, said.body]).toEqual([
      200,
      expect.stringContaining('<h1>Approved</h1>'),
    ]);
    const event = await kit.db.sql
      .selectFrom('audit_events')
      .selectAll()
      .where('type', '=', 'access.request.decide')
      .where('request_id', '=', s.request.id)
      .executeTakeFirst();
    expect(event).toMatchObject({
      actor: { id: demo.ids.users.dana },
      client_address: browser.address,
      details: { link_id: expect.any(String) },
    });
  });

  it('whoever is not logged in is sent to log in, and back', async () => {
    const browser = new Browser(demo);
    await withoutFactors(demo.ids.users.dana!);
    await setPassword(demo, demo.ids.users.dana!);
    expect((await browser.get(s.link)).body).toContain('name="login" value="1"');
    const to = (await browser.get(`${s.link}?login=1`)).headers.location as string;
    const next = new URL(to, 'https://x').searchParams.get('next')!;
    expect(next).toBe(s.link);
    const back = await browser.login('dana', PASSWORD, next);
    expect(back.headers.location).toBe(s.link);
  });

  it('deny: with a password alone, or a second factor of 15 min ago', async () => {
    await withoutFactors(demo.ids.users.dana!);
    await refused(await decide(await loggedIn('dana', demo.ids.users.dana!)), 403);
    const browser = await dana();
    kit.clock.advance(15 * 60);
    await refused(await decide(browser), 403);
  });

  it('another page cannot decide with his cookie', async () => {
    const browser = await dana();
    await refused(await decide(browser, { csrf: 'x' }), 403);
    browser.site = { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' };
    await refused(await decide(browser), 403);
    browser.site = {};
    await refused(await decide(browser), 403);
  });

  it('the login of somebody else decides nothing, also with the text of his page', async () => {
    const browser = await loggedIn('ana', demo.ids.users.ana!);
    const page = await browser.get(s.link);
    expect(page.body).toContain('You are logged in as Ana Silva, not as Dana Reyes (dana).');
    const account = (await browser.get('/account')).body;
    const csrf = /name="csrf" value="([^"]+)"/.exec(account)?.[1] ?? '';
    await refused(await decide(browser, { csrf }), 403);
    const requester = await loggedIn(s.who.login, s.who.id);
    const own = /name="csrf" value="([^"]+)"/.exec((await requester.get('/account')).body)?.[1];
    await refused(await decide(requester, { csrf: own ?? '' }), 403);
  });

  it('a login that is over decides nothing', async () => {
    const browser = await dana();
    const fields = { ...hiddenFields(await browser.get(s.link)), decision: 'approve' };
    const kept = new Browser(demo);
    for (const [name, value] of browser.cookies) kept.cookies.set(name, value);
    await browser.account('/logout');
    await refused(await kept.post(s.link, fields), 401);
  });

  it('deny: the login was made with what the requester gave the approver', async () => {
    const boss = `boss${s.who.login}`;
    const id = await makeUser(demo, boss, { groups: ['everyone', 'linux-approvers'] });
    await s.raise({ groups: ['owners'], manager: boss });
    s.link = await s.linkFor(id);
    const washed = await proven(boss, id, demo.tokens[s.who.login]);
    await refused(await decide(washed), 403);
    const own = await proven(boss, id);
    expect((await decide(own)).statusCode).toBe(200);
  });
});
