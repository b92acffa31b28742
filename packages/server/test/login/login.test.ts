import { beforeEach, describe, expect, it } from 'vitest';
import { relyingPartyOf } from '../../src/credentials/index.ts';
import { browserLoginOf } from '../../src/login/index.ts';
import { Authenticator, type Faults } from '../credentials/authenticator.ts';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, PUBLIC_URL } from '../kit/service.ts';
import {
  addApp,
  alertIn,
  Browser,
  csrfIn,
  invitation,
  PASSWORD,
  type Person,
  person,
  setPassword,
} from './browser.ts';

const RP = relyingPartyOf(PUBLIC_URL)!;
const LOGIN = '__Host-postern';
const WRONG = 'The login or the password is not right.';

onBoth('logging in with a browser', (kit) => {
  const demo = withDemo(kit);
  let who: Person;
  let browser: Browser;
  beforeEach(async () => {
    who = await person(demo);
    browser = new Browser(demo);
    kit.clock.advance(1);
  });
  const loginOf = ({ cookie }: Browser) => kit.transact((tx) => browserLoginOf(tx, cookie));
  const events = async (type: string) =>
    await kit.db.sql
      .selectFrom('audit_events')
      .selectAll()
      .where('type', '=', type)
      .orderBy('id')
      .execute();
  const restartIn = (seconds: number) => kit.clock.advance(seconds);

  describe('with a password', () => {
    it('logs in, goes where he wanted to, and is on record', async () => {
      const said = await browser.login(who.login, PASSWORD, '/decide/abc');
      expect([said.statusCode, said.headers.location]).toEqual([303, '/decide/abc']);
      expect(await loginOf(browser)).toMatchObject({
        user_id: who.id,
        amr: ['pwd'],
        mfa: 'none',
        mfa_at: null,
        auth_time: kit.clock.now(),
        issued_by: null,
      });
      expect((await events('user.session.start')).at(-1)).toMatchObject({
        actor: { id: who.id },
        client_address: '192.0.2.1',
        details: { amr: ['pwd'] },
      });
    });

    it('whoever is logged in is sent on, unless he is to log in once more', async () => {
      await browser.login(who.login);
      expect((await browser.get('/login?next=/account')).headers.location).toBe('/account');
      const again = await browser.get('/login?next=/account&prompt=login');
      expect([again.statusCode, csrfIn(again) === '']).toEqual([200, false]);
    });

    it('to the authorization server he goes on by a page, not by his form', async () => {
      const next = '/oauth/auth?a=b&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb';
      const said = await browser.login(who.login, PASSWORD, next);
      expect([said.statusCode, said.headers.location]).toEqual([200, undefined]);
      expect(said.body).toContain(`content="0;url=${next.replaceAll('&', '&amp;')}"`);
      expect(await loginOf(browser)).toMatchObject({ user_id: who.id });
    });

    it('a password typed on another keyboard is the same one (NFKC)', async () => {
      await setPassword(demo, who.id, undefined, 'ﬁsch und Ｃhips am Kai');
      expect((await browser.login(who.login, 'fisch und Chips am Kai')).statusCode).toBe(303);
    });

    it('wrong: one answer and the same work, for whomever', async () => {
      const disabled = await person(demo);
      must(
        await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${disabled.id}`, {
          status: 'DISABLED',
        }),
      );
      const answers: unknown[] = [];
      for (const [login, password] of [
        [who.login, 'not the password!'],
        ['nobody-at-all', PASSWORD],
        [disabled.login, PASSWORD],
        ['dana', PASSWORD],
        ['no login at all \u202e', PASSWORD],
        [who.login, 'x'.repeat(2_000)],
        [who.login, ''],
      ] as const) {
        const fresh = new Browser(demo, `198.51.100.${answers.length + 20}`);
        const page = await fresh.get('/login');
        demo.service.hashed.count = 0;
        const said = await fresh.post('/login', { csrf: csrfIn(page), login, password });
        const { count } = demo.service.hashed;
        answers.push([said.statusCode, alertIn(said), count, await loginOf(fresh)]);
      }
      expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
        new Set([JSON.stringify([401, WRONG, 1, undefined])]),
      );
    });

    it('a failure is on record with whose login was tried, never with what was typed', async () => {
      await browser.login(who.login, 'not the password!');
      await browser.login('my-secret-passphrase-in-the-wrong-field', PASSWORD);
      const failed = (await events('pam.login.fail')).slice(-2);
      expect(failed).toMatchObject([
        { targets: [{ id: who.id }], outcome: { reason: 'wrong_password' } },
        { targets: [], outcome: { reason: 'unknown_login' } },
      ]);
      const said = JSON.stringify([failed, demo.service.lines]);
      for (const typed of ['not the password', 'wrong-field', PASSWORD])
        expect(said).not.toContain(typed);
    });

    it('a service user has none', async () => {
      await expect(
        person(demo, demo.service.bootstrap, { type: 'service', owners: ['bo'] }),
      ).rejects.toThrow('state_conflict');
    });
  });

  describe('with an authenticator app', () => {
    it('the password alone opens nothing; the code does, once', async () => {
      await browser.login(who.login);
      const { code, confirmed } = await addApp(kit, browser);
      expect(confirmed.statusCode).toBe(303);
      const other = new Browser(demo);
      const first = await other.login(who.login, PASSWORD, '/decide/abc');
      expect(first.headers.location).toBe('/login/factor?next=%2Fdecide%2Fabc');
      expect(await loginOf(other)).toBeUndefined();
      const page = await other.get(first.headers.location as string);
      const fields = { csrf: csrfIn(page), next: '/decide/abc' };
      const used = code();
      const said = await other.post('/login/factor', { ...fields, code: used });
      expect([said.statusCode, said.headers.location]).toEqual([303, '/decide/abc']);
      expect(await loginOf(other)).toMatchObject({
        amr: ['pwd', 'otp', 'mfa'],
        mfa: 'any',
        mfa_at: kit.clock.now(),
      });
      const third = new Browser(demo);
      await third.login(who.login);
      const again = await third.submit('/login/factor', '/login/factor', { code: used });
      expect([again.statusCode, await loginOf(third)]).toEqual([401, undefined]);
    });

    it('two browsers at once with one code: one of them is in', async () => {
      await browser.login(who.login);
      const { code } = await addApp(kit, browser);
      const two = [new Browser(demo), new Browser(demo)];
      for (const one of two) await one.login(who.login);
      const pages = await Promise.all(two.map((one) => one.get('/login/factor')));
      const used = code();
      const said = await Promise.all(
        two.map((one, i) => one.post('/login/factor', { csrf: csrfIn(pages[i]!), code: used })),
      );
      expect(said.map(({ statusCode }) => statusCode).sort()).toEqual([303, 401]);
    });

    it('what the password opened is over after ten minutes, or when it was changed', async () => {
      await browser.login(who.login);
      const { code } = await addApp(kit, browser);
      const slow = new Browser(demo);
      await slow.login(who.login);
      const page = await slow.get('/login/factor');
      restartIn(601);
      const late = await slow.post('/login/factor', { csrf: csrfIn(page), code: code() });
      expect([late.statusCode, await loginOf(slow)]).toEqual([401, undefined]);
      const other = new Browser(demo);
      await other.login(who.login);
      const before = await other.get('/login/factor');
      await setPassword(demo, who.id);
      const after = await other.post('/login/factor', { csrf: csrfIn(before), code: code() });
      expect([after.statusCode, await loginOf(other)]).toEqual([401, undefined]);
    });

    it('cannot be guessed: five tries, then he waits, with every new password page as well', async () => {
      await browser.login(who.login);
      const { code } = await addApp(kit, browser);
      const guesser = new Browser(demo, '203.0.113.77');
      const said: number[] = [];
      for (let i = 0; i < 8; i++) {
        await guesser.login(who.login);
        const one = await guesser.submit('/login/factor', '/login/factor', { code: '000000' });
        said.push(one.statusCode);
      }
      expect(said).toEqual([401, 401, 401, 401, 401, 401, 429, 429]);
      const right = await guesser.submit('/login/factor', '/login/factor', { code: code() });
      expect(right.statusCode).toBe(429);
      const own = new Browser(demo);
      own.cookies.set('__Host-postern-device', browser.cookies.get('__Host-postern-device')!);
      await own.login(who.login);
      const in_ = await own.submit('/login/factor', '/login/factor', { code: code() });
      expect(in_.statusCode).toBe(303);
    });
  });

  describe('with a passkey', () => {
    let key: Authenticator;
    const options = async (one: Browser, path: string, page: string) => {
      const csrf = csrfIn(await one.get(page));
      return { csrf, options: (await one.call(`${path}/options`, { csrf })).json() };
    };
    const add = async (one: Browser, name = 'my key', faults: Faults = {}) => {
      const asked = await options(one, '/account/passkeys', '/account');
      const response = key.register(asked.options, faults);
      return one.call('/account/passkeys', { csrf: asked.csrf, name, response });
    };
    const use = async (one: Browser, page = '/login', faults: Faults = {}, next?: string) => {
      const asked = await options(one, '/login/passkey', page);
      const response = key.assert(asked.options, faults);
      return one.call('/login/passkey', { csrf: asked.csrf, next, response });
    };
    beforeEach(async () => {
      key = new Authenticator(RP);
      await browser.login(who.login);
      expect((await add(browser)).json()).toEqual({ location: '/account' });
    });

    it('alone: two factors that resist phishing', async () => {
      const other = new Browser(demo);
      expect((await use(other, '/login', {}, '/decide/abc')).json()).toEqual({
        location: '/decide/abc',
      });
      expect(await loginOf(other)).toMatchObject({
        user_id: who.id,
        amr: ['hwk', 'user', 'mfa'],
        mfa: 'phr',
        mfa_at: kit.clock.now(),
      });
    });

    it('after the password', async () => {
      const other = new Browser(demo);
      const first = await other.login(who.login);
      expect(first.headers.location).toBe('/login/factor');
      expect((await use(other, '/login/factor')).statusCode).toBe(200);
      expect(await loginOf(other)).toMatchObject({ amr: ['pwd', 'hwk', 'user', 'mfa'] });
    });

    it('after the password of somebody else it opens neither account', async () => {
      const victim = await person(demo);
      const theirs = new Browser(demo);
      await theirs.login(victim.login);
      await addApp(kit, theirs);
      const thief = new Browser(demo);
      await thief.login(victim.login);
      expect((await use(thief, '/login/factor')).statusCode).toBe(401);
      expect(await loginOf(thief)).toBeUndefined();
    });

    it.each<[string, Faults]>([
      ['another origin', { origin: 'https://evil.test' }],
      ['another relying party', { rp_id: 'evil.test' }],
      ['nobody verified', { unverified: true }],
      ['a handle of somebody else', { user_handle: Buffer.alloc(16).toString('base64url') }],
    ])('refused, and on record: %s', async (_, faults) => {
      const other = new Browser(demo);
      expect((await use(other, '/login', faults)).statusCode).toBe(401);
      expect(await loginOf(other)).toBeUndefined();
      expect((await events('pam.login.fail')).at(-1)?.outcome).toMatchObject({
        reason: expect.stringMatching(/^passkey_/),
      });
    });

    it('an answer serves once, in the browser that was asked', async () => {
      const [a, b] = [new Browser(demo), new Browser(demo)];
      const asked = await options(a, '/login/passkey', '/login');
      const response = key.assert(asked.options);
      const csrf = csrfIn(await b.get('/login'));
      expect((await b.call('/login/passkey', { csrf, response })).statusCode).toBe(401);
      const said = await a.call('/login/passkey', { csrf: asked.csrf, response });
      expect(said.statusCode).toBe(200);
      const again = new Browser(demo);
      again.cookies.set('__Host-postern-form', 'A'.repeat(43));
      const page = csrfIn(await again.get('/login'));
      const replayed = await again.call('/login/passkey', { csrf: page, response });
      expect(replayed.statusCode).toBe(401);
    });

    it('of somebody who is disabled it opens nothing', async () => {
      must(
        await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${who.id}`, {
          status: 'DISABLED',
        }),
      );
      expect((await use(new Browser(demo))).statusCode).toBe(401);
    });

    it('is removed by name, and then opens nothing', async () => {
      const { body } = await browser.get('/account');
      const id = /account\/passkeys\/remove[\s\S]*?name="id" value="([^"]+)"/.exec(body)?.[1];
      await browser.account('/account/passkeys/remove', { id: id! });
      expect((await use(new Browser(demo))).statusCode).toBe(401);
    });
  });

  describe('invitations', () => {
    it('following the link changes nothing; the form sets the password, once', async () => {
      const url = await invitation(demo, who.id);
      for (let i = 0; i < 3; i++) expect((await browser.get(url)).statusCode).toBe(200);
      const password = 'ein anderes langes wort';
      const fields = { password, again: password };
      const page = await browser.get(url);
      expect((await browser.submit(url, url, { password, again: 'x' })).statusCode).toBe(400);
      const weak = await browser.submit(url, url, { password: who.login, again: who.login });
      expect([weak.statusCode, alertIn(weak)]).toEqual([400, expect.stringContaining('short')]);
      const csrf = csrfIn(page);
      const set = await browser.post(url, { csrf, ...fields });
      expect(set.headers.location).toBe('/login?from=invitation');
      const told = 'Your password is set. Log in with it';
      expect((await browser.get('/login?from=invitation')).body).toContain(told);
      expect((await browser.get('/login')).body).not.toContain(told);
      expect((await browser.get(url)).statusCode).toBe(404);
      expect((await browser.submit('/login', url, fields)).statusCode).toBe(404);
      expect((await new Browser(demo).login(who.login)).statusCode).toBe(401);
      expect((await new Browser(demo).login(who.login, password)).statusCode).toBe(303);
    });

    it('ends what the old password had opened, and keeps the second factor', async () => {
      await browser.login(who.login);
      await addApp(kit, browser);
      await setPassword(demo, who.id);
      expect(await loginOf(browser)).toBeUndefined();
      const other = new Browser(demo);
      expect((await other.login(who.login)).headers.location).toBe('/login/factor');
    });

    it('a login made with it counts as issued by whoever made it, and passes that on', async () => {
      await setPassword(demo, who.id, demo.tokens.pat);
      const { pat } = demo.ids.users;
      await browser.login(who.login);
      expect(await loginOf(browser)).toMatchObject({ user_id: who.id, issued_by: pat });
      expect((await browser.get('/account')).body).toContain('counts as issued by Pat Moreau');
      await browser.account('/account/password', {
        password: 'mein eigenes neues wort',
        again: 'mein eigenes neues wort',
      });
      expect(await loginOf(browser)).toMatchObject({ issued_by: pat });
      const { code } = await addApp(kit, browser);
      await setPassword(demo, who.id);
      const other = new Browser(demo);
      await other.login(who.login);
      await other.submit('/login/factor', '/login/factor', { code: code() });
      expect(await loginOf(other)).toMatchObject({ issued_by: pat });
    });

    it('so does one after he removed the second factors', async () => {
      await browser.login(who.login);
      await addApp(kit, browser);
      must(await demo.service.call(demo.tokens.pat, 'DELETE', `/users/${who.id}/factors`));
      expect(await loginOf(browser)).toBeUndefined();
      await browser.login(who.login);
      expect(await loginOf(browser)).toMatchObject({ issued_by: demo.ids.users.pat });
    });
  });

  it('the cookie is not given anew to a service on http by its https name', async () => {
    const said = await browser.login(who.login);
    const set = [said.headers['set-cookie'] ?? []].flat();
    expect(set.length).toBe(3);
    for (const one of set) expect(one).toMatch(/^__Host-.*; HttpOnly; SameSite=Lax; Secure/);
    expect(browser.cookies.has(LOGIN)).toBe(true);
  });
});
