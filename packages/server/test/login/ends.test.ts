import { TOTP } from 'otpauth';
import { beforeEach, describe, expect, it } from 'vitest';
import { browserLoginOf } from '../../src/login/index.ts';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import {
  addApp,
  alertIn,
  Browser,
  csrfIn,
  invitation,
  PASSWORD,
  type Person,
  person,
} from './browser.ts';

const LOGIN = '__Host-postern';
const FORM = '__Host-postern-form';
const _EVIL = `"'></title><script>alert(1)</script><img src=x onerror=alert(1)>&amp;`;

onBoth('the end of logins in a browser', (kit) => {
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

  describe('what ends a login', () => {
    it('an hour unseen, twelve hours whatever he does', async () => {
      await browser.login(who.login);
      for (let i = 0; i < 12; i++) {
        kit.clock.advance(3_590);
        expect(await loginOf(browser)).toMatchObject({ user_id: who.id });
      }
      kit.clock.advance(121);
      expect(await loginOf(browser)).toBeUndefined();
      const idle = new Browser(demo, browser.address);
      await idle.login(who.login);
      kit.clock.advance(3_600);
      expect(await loginOf(idle)).toBeUndefined();
    });

    it('logging out: the cookie opens nothing, also where it was kept', async () => {
      await browser.login(who.login);
      const kept = new Browser(demo);
      kept.cookies.set(LOGIN, browser.cookies.get(LOGIN)!);
      const said = await browser.account('/logout');
      expect([said.statusCode, said.headers.location]).toEqual([303, '/login']);
      expect(browser.cookies.has(LOGIN)).toBe(false);
      expect(await loginOf(kept)).toBeUndefined();
    });

    it('ended from elsewhere, one or all of them; somebody else’s is not there', async () => {
      const [a, b, theirs] = [browser, stranger(), stranger()];
      await a.login(who.login);
      await b.login(who.login);
      const other = await person(demo);
      await theirs.login(other.login);
      const idOf = async (one: Browser) => (await loginOf(one))!.session_id;
      await a.account('/account/end', { id: await idOf(theirs) });
      expect(await loginOf(theirs)).toMatchObject({ user_id: other.id });
      await a.account('/account/end', { id: await idOf(b) });
      expect(await loginOf(b)).toBeUndefined();
      expect((await a.account('/account/end', { id: 'x' })).statusCode).toBe(404);
      await b.login(who.login);
      expect((await a.account('/account/end-all')).headers.location).toBe('/login');
      expect([await loginOf(a), await loginOf(b)]).toEqual([undefined, undefined]);
    });

    it('logging out everywhere ends the logins of the tools, and no token that was made for him', async () => {
      const id = kit.ids.uuid();
      const times = { created_at: kit.clock.now(), expires_at: (kit.clock.now() + 9e6) as never };
      await kit.db.sql
        .insertInto('tokens')
        .values({
          id,
          user_id: who.id,
          kind: 'login',
          hash: null,
          name: 'sft',
          issued_by: null,
          ...times,
        })
        .execute();
      await browser.login(who.login);
      await browser.account('/account/end-all');
      const rows = await kit.db.sql
        .selectFrom('tokens')
        .select(['kind', 'revoked_at'])
        .where('user_id', '=', who.id)
        .orderBy('kind')
        .execute();
      expect(rows.map(({ kind, revoked_at }) => [kind, revoked_at === null])).toEqual([
        ['login', false],
        ['static', true],
      ]);
    });

    it('its person is disabled; so do those that he stands behind', async () => {
      const admin = await person(demo, demo.service.bootstrap, { groups: ['everyone', 'owners'] });
      const invited = await person(demo, demo.tokens[admin.login]);
      const [a, b] = [browser, stranger()];
      await a.login(admin.login);
      await b.login(invited.login);
      expect(await loginOf(b)).toMatchObject({ issued_by: admin.id });
      const said = await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${admin.id}`, {
        status: 'DISABLED',
      });
      must(said);
      expect([await loginOf(a), await loginOf(b)]).toEqual([undefined, undefined]);
    });

    it('another password: every other login', async () => {
      const other = stranger();
      await browser.login(who.login);
      await other.login(who.login);
      const password = 'mein neues langes wort';
      const said = await browser.account('/account/password', { password, again: password });
      expect(said.headers.location).toBe('/account');
      expect(await loginOf(browser)).toMatchObject({ user_id: who.id, amr: ['pwd'] });
      expect(await loginOf(other)).toBeUndefined();
    });
  });

  describe('what needs a fresh proof', () => {
    it('after ten minutes: a password, or the second factor where there is one', async () => {
      await browser.login(who.login);
      kit.clock.advance(600);
      const refused = await browser.account('/account/totp');
      expect([refused.statusCode, alertIn(refused)]).toEqual([
        403,
        'This needs a fresh proof that it is you.',
      ]);
      expect((await browser.account('/account/proof', { password: 'x' })).statusCode).toBe(401);
      await browser.account('/account/proof', { password: PASSWORD });
      const { code } = await addApp(kit, browser);
      kit.clock.advance(600);
      const alone = await browser.account('/account/proof', { password: PASSWORD });
      expect(alone.statusCode).toBe(401);
      expect((await browser.account('/account/totp/remove')).statusCode).toBe(403);
      expect((await browser.account('/account/proof', { code: code() })).statusCode).toBe(303);
      expect((await browser.account('/account/totp/remove')).statusCode).toBe(303);
    });

    it('a login from before there was a second factor cannot take it away', async () => {
      const old = stranger();
      await browser.login(who.login);
      await old.login(who.login);
      await addApp(kit, browser);
      expect((await old.account('/account/totp/remove')).statusCode).toBe(403);
      const password = 'mein neues langes wort';
      const said = await old.account('/account/password', { password, again: password });
      expect(said.statusCode).toBe(403);
      const passkeys = csrfIn(await old.get('/account'));
      const asked = await old.call('/account/passkeys/options', { csrf: passkeys });
      expect(asked.statusCode).toBe(403);
    });

    it('the secret of an app is shown to whoever adds it, and to nobody later', async () => {
      await browser.login(who.login);
      await browser.account('/account/totp');
      expect((await browser.get('/account')).body).toContain('otpauth://totp/');
      kit.clock.advance(600);
      expect((await browser.get('/account')).body).not.toContain('otpauth:');
      await browser.account('/account/proof', { password: PASSWORD });
      await addApp(kit, browser);
      expect((await browser.get('/account')).body).not.toContain('otpauth:');
    });

    it('an app that another login is adding is neither shown nor proved', async () => {
      await browser.login(who.login);
      const thief = new Browser(demo, '203.0.113.200');
      await thief.login(who.login);
      await thief.account('/account/totp');
      const secret = /<code>([A-Z2-7]+)</.exec((await thief.get('/account')).body)?.[1] ?? '';
      expect(secret).not.toBe('');
      expect((await browser.get('/account')).body).not.toContain(secret);
      const code = new TOTP({ secret }).generate({ timestamp: kit.clock.now() });
      const said = await browser.account('/account/totp/confirm', { code });
      expect([said.statusCode, alertIn(said)]).toEqual([
        409,
        'No authenticator app is being added.',
      ]);
      expect((await addApp(kit, browser)).confirmed.statusCode).toBe(303);
    });

    it('guessing a proof is slowed down as a login is', async () => {
      await browser.login(who.login);
      await addApp(kit, browser);
      const said: number[] = [];
      for (let i = 0; i < 8; i++)
        said.push((await browser.account('/account/proof', { code: '000000' })).statusCode);
      expect(said).toEqual([401, 401, 401, 401, 401, 401, 429, 429]);
    });
  });

  it('a dump of the database, the log and the events hold no secret of any of it', async () => {
    await browser.login(who.login);
    const { secret, code } = await addApp(kit, browser);
    const other = stranger();
    await other.login(who.login);
    const pending = other.cookies.get(FORM)!;
    const url = await invitation(demo, who.id);
    await other.submit('/login/factor', '/login/factor', { code: code() });
    const secrets = [PASSWORD, secret, pending, url.slice('/invite/pin_'.length)];
    for (const one of [browser, other]) secrets.push(...one.cookies.values());
    const tables = ['password_credentials', 'totp_credentials', 'passkeys', 'passkey_challenges'];
    tables.push('invitations', 'browser_logins', 'pending_logins', 'login_attempts');
    tables.push('known_clients', 'audit_events', 'messages', 'tokens');
    let dump = JSON.stringify(demo.service.lines);
    for (const table of tables)
      dump += JSON.stringify(
        await kit.db.sql
          .selectFrom(table as 'tokens')
          .selectAll()
          .execute(),
      );
    for (const one of secrets) expect(dump.includes(one)).toBe(false);
    expect(dump).not.toContain('$argon2');
  });
});
