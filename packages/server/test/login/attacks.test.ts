import { beforeEach, describe, expect, it } from 'vitest';
import { browserLoginOf } from '../../src/login/index.ts';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
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

const LOGIN = '__Host-postern';
const FORM = '__Host-postern-form';
const EVIL = `"'></title><script>alert(1)</script><img src=x onerror=alert(1)>&amp;`;

onBoth('attacks on logins in a browser', (kit) => {
  const demo = withDemo(kit);
  let who: Person;
  let browser: Browser;
  let n = 0;
  beforeEach(async () => {
    who = await person(demo);
    browser = new Browser(demo, `192.0.2.${(n++ % 200) + 10}`);
    kit.clock.advance(1);
  });
  const stranger = () => new Browser(demo, `203.0.113.${(n++ % 200) + 10}`);
  const loginOf = ({ cookie }: Browser, changes = false) =>
    kit.transact((tx) => browserLoginOf(tx, cookie, changes));

  describe('fixation', () => {
    it('a login’s cookie is never one that the browser came with', async () => {
      const planted = 'B'.repeat(43);
      browser.cookies.set(LOGIN, planted);
      browser.cookies.set('postern', planted);
      await browser.login(who.login);
      expect(browser.cookies.get(LOGIN)).not.toBe(planted);
      expect(await loginOf(browser)).toMatchObject({ user_id: who.id });
      const thief = stranger();
      thief.cookies.set(LOGIN, planted);
      expect(await loginOf(thief)).toBeUndefined();
    });

    it('an attacker’s own login under the name that others can set is none', async () => {
      const attacker = stranger();
      await attacker.login(who.login);
      const victim = new Browser(demo);
      victim.cookies.set('postern', attacker.cookies.get(LOGIN)!);
      expect(await loginOf(victim)).toBeUndefined();
    });

    it('what the forms were bound to is new after the password, and gone after the login', async () => {
      await browser.login(who.login);
      const { code } = await addApp(kit, browser);
      const other = stranger();
      const planted = 'C'.repeat(43);
      other.cookies.set(FORM, planted);
      await other.login(who.login);
      const form = other.cookies.get(FORM);
      expect(form).not.toBe(planted);
      const thief = stranger();
      thief.cookies.set(FORM, planted);
      const page = await thief.get('/login/factor');
      const said = await thief.post('/login/factor', { csrf: csrfIn(page), code: code() });
      expect([said.statusCode, await loginOf(thief)]).toEqual([401, undefined]);
      await other.submit('/login/factor', '/login/factor', { code: code() });
      expect(other.cookies.has(FORM)).toBe(false);
    });

    it('a proof gives the login a new cookie; the one before it is over', async () => {
      await browser.login(who.login);
      const { code } = await addApp(kit, browser);
      const before = new Browser(demo);
      before.cookies.set(LOGIN, browser.cookies.get(LOGIN)!);
      kit.clock.advance(700);
      await browser.account('/account/proof', { code: code() });
      expect(browser.cookies.get(LOGIN)).not.toBe(before.cookies.get(LOGIN));
      expect(await loginOf(before)).toBeUndefined();
      expect(await loginOf(browser)).toMatchObject({ mfa: 'any', mfa_at: kit.clock.now() });
    });
  });

  describe('requests forged across sites', () => {
    const FORMS = [
      '/account/totp',
      '/account/totp/confirm',
      '/account/totp/remove',
      '/account/passkeys/remove',
      '/account/password',
      '/account/proof',
      '/account/end',
      '/account/end-all',
      '/logout',
    ];
    const CALLS = [
      '/account/passkeys/options',
      '/account/passkeys',
      '/account/proof/passkey/options',
      '/account/proof/passkey',
    ];

    it.each(FORMS)('%s: not without the page’s text, not with another’s', async (url) => {
      await browser.login(who.login);
      const other = stranger();
      await other.login(who.login);
      const theirs = csrfIn(await other.get('/account'));
      for (const fields of [{}, { csrf: '' }, { csrf: 'x' }, { csrf: theirs }]) {
        const said = await browser.post(url, fields as Record<string, string>);
        expect([said.statusCode, alertIn(said)]).toEqual([
          403,
          'This did not come from a page that this browser has open.',
        ]);
      }
      expect(await loginOf(browser)).toMatchObject({ user_id: who.id });
    });

    it.each(FORMS)('%s: not from another site, with the text as well', async (url) => {
      await browser.login(who.login);
      const csrf = csrfIn(await browser.get('/account'));
      for (const headers of [
        { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
        { origin: 'https://evil.postern.example.test', 'sec-fetch-site': 'same-site' },
        { origin: 'null', 'sec-fetch-site': 'cross-site' },
        { origin: 'null', 'sec-fetch-site': 'none' },
      ])
        expect((await browser.post(url, { csrf }, headers)).statusCode).toBe(403);
      browser.site = {};
      for (const headers of [{}, { origin: 'null' }, { origin: 'https://evil.test' }])
        expect((await browser.post(url, { csrf }, headers as never)).statusCode).toBe(403);
      expect(await loginOf(browser)).toMatchObject({ user_id: who.id });
    });

    it.each(CALLS)('%s: not without the text, and not as a form', async (url) => {
      await browser.login(who.login);
      const csrf = csrfIn(await browser.get('/account'));
      expect((await browser.call(url, { csrf: 'x' })).statusCode).toBe(403);
      expect((await browser.post(url, { csrf })).statusCode).toBe(400);
      expect((await browser.call(url, ['x'])).statusCode).toBe(400);
    });

    it('nobody is logged in as the attacker: the login’s form has its text too', async () => {
      const attacker = await person(demo);
      const theirs = csrfIn(await stranger().get('/login'));
      await browser.get('/login');
      for (const csrf of ['', 'x', theirs]) {
        const fields = { csrf, login: attacker.login, password: PASSWORD };
        const said = await browser.post('/login', fields);
        expect([said.statusCode, await loginOf(browser)]).toEqual([403, undefined]);
      }
      const forged = await new Browser(demo).post('/login', {
        csrf: theirs,
        login: attacker.login,
        password: PASSWORD,
      });
      expect(forged.statusCode).toBe(403);
    });

    it('an invitation is used by its page alone', async () => {
      const url = await invitation(demo, who.id);
      await browser.get(url);
      const password = 'ein anderes langes wort';
      const said = await browser.post(url, { csrf: 'x', password, again: password });
      expect(said.statusCode).toBe(403);
      expect((await browser.login(who.login)).statusCode).toBe(303);
    });

    it('no address that is followed changes anything', async () => {
      await browser.login(who.login);
      for (const url of [...FORMS, ...CALLS]) expect((await browser.get(url)).statusCode).toBe(404);
      expect(await loginOf(browser)).toMatchObject({ user_id: who.id });
    });
  });

  describe('what pages may do', () => {
    const pages = async () => {
      const fresh = new Browser(demo);
      const invite = await invitation(demo, who.id);
      const all = [
        await fresh.get('/login'),
        await fresh.get(invite),
        await fresh.get('/invite/x'),
      ];
      await setPassword(demo, who.id);
      await browser.login(who.login);
      all.push(await browser.get('/account'), await browser.post('/logout', {}));
      await addApp(kit, browser);
      const other = stranger();
      await other.login(who.login);
      all.push(await other.get('/login/factor'), await other.get('/account'));
      return all;
    };

    it('no frame, no cache, no sniffing, no referrer, and no script but our file', async () => {
      for (const { headers, body } of await pages()) {
        expect(headers).toMatchObject({
          'cache-control': 'no-store',
          'x-content-type-options': 'nosniff',
          'x-frame-options': 'DENY',
          'referrer-policy': 'no-referrer',
        });
        const policy = String(headers['content-security-policy']);
        for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"])
          expect(policy).toContain(part);
        expect(policy).not.toMatch(/unsafe|https?:|\*/);
        const scripts = [...body.matchAll(/<script[^>]*>/g)].map(([tag]) => tag);
        expect(['', '<script src="/login/passkey.js" defer>']).toContain(scripts.join());
        expect(policy.includes('script-src')).toBe(scripts.length > 0);
        expect(body).not.toMatch(/\son\w+=|javascript:|style=/i);
      }
    });

    it('the script is a file of ours, with no secret in it', async () => {
      const said = await browser.get('/login/passkey.js');
      expect(said.headers['content-type']).toBe('text/javascript; charset=utf-8');
      expect(said.headers['x-content-type-options']).toBe('nosniff');
      expect(said.body).not.toMatch(/innerHTML|eval|Function\(|document\.write/);
      expect(() => new Function(said.body)).not.toThrow();
    });

    it('whatever a text is, it stays a text', async () => {
      const hostile = await person(demo, demo.service.bootstrap, { name: `Eve &<b>"'` });
      const agent = { 'user-agent': EVIL };
      const evil = stranger();
      const csrf = csrfIn(await evil.get('/login'));
      const wrong = await evil.post('/login', { csrf, login: EVIL, password: 'x', next: EVIL });
      await evil.post('/login', { csrf, login: hostile.login, password: PASSWORD }, agent);
      const account = await evil.get('/account');
      expect(account.statusCode).toBe(200);
      const invite = await evil.get(await invitation(demo, hostile.id));
      for (const { body } of [wrong, account, invite])
        expect(body).not.toMatch(/<img|<b>|<script>|alert\(1\)<|\u202e/);
      expect(account.body).toContain('Eve &amp;&lt;b&gt;&quot;&#39;');
    });

    it.each([
      '//evil.test',
      '/\\evil.test',
      '/%2fevil.test',
      'https://evil.test',
      '/a/..//evil.test',
    ])('nobody is sent to %s', async (next) => {
      const page = await browser.get(`/login?next=${encodeURIComponent(next)}`);
      expect(page.body).not.toContain('evil.test');
      const said = await browser.login(who.login, PASSWORD, next);
      expect(said.headers.location).toBe('/account');
      const again = await browser.get(`/login?next=${encodeURIComponent(next)}`);
      expect(again.headers.location).toBe('/account');
    });

    it('two texts for one field are no form, and a body too large is none', async () => {
      const csrf = csrfIn(await browser.get('/login'));
      const send = (payload: string) =>
        demo.service.app.inject({
          method: 'POST',
          url: '/login',
          payload,
          headers: { 'content-type': 'application/x-www-form-urlencoded', ...browser.site },
        });
      expect((await send(`csrf=${csrf}&login=a&login=b`)).statusCode).toBe(400);
      expect((await send(`login=${'a'.repeat(100_000)}`)).statusCode).toBe(413);
    });
  });
});
