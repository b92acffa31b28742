import { beforeEach, describe, expect, it } from 'vitest';
import { browserLoginOf } from '../../src/login/index.ts';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { alertIn, Browser, csrfIn, type Person, person } from './browser.ts';

const LOGIN = '__Host-postern';
const _FORM = '__Host-postern-form';
const _EVIL = `"'></title><script>alert(1)</script><img src=x onerror=alert(1)>&amp;`;

onBoth('guessing at logins in a browser', (kit) => {
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
  const _loginOf = ({ cookie }: Browser, changes = false) =>
    kit.transact((tx) => browserLoginOf(tx, cookie, changes));

  describe('guessing', () => {
    const tries = async (one: Browser, times: number, login = who.login) => {
      const said: number[] = [];
      for (let i = 0; i < times; i++)
        said.push((await one.login(login, `wrong password ${i}`)).statusCode);
      return said;
    };

    it('one client is slowed down, whether there is such a login or not', async () => {
      const known = await tries(stranger(), 8);
      const unknown = await tries(stranger(), 8, `nobody${n}`);
      expect(known).toEqual([401, 401, 401, 401, 401, 401, 429, 429]);
      expect(unknown).toEqual(known);
    });

    it('while he waits the right password is not tried, and nothing is hashed', async () => {
      const one = stranger();
      await tries(one, 7);
      demo.service.hashed.count = 0;
      const said = await one.login(who.login);
      expect([said.statusCode, demo.service.hashed.count]).toEqual([429, 0]);
      expect(alertIn(said)).toBe('Too many attempts were wrong.');
      kit.clock.advance(10);
      expect((await one.login(who.login)).statusCode).toBe(303);
    });

    it('many at once are no more than one after the other', async () => {
      const one = stranger();
      const csrf = csrfIn(await one.get('/login'));
      const fields = { csrf, login: who.login, password: 'wrong password' };
      const all = await Promise.all(Array.from({ length: 12 }, () => one.post('/login', fields)));
      expect(all.filter(({ statusCode }) => statusCode === 401)).toHaveLength(6);
    });

    it('he who logged in before is never locked out by others, from wherever they come', async () => {
      await browser.login(who.login);
      await kit.transact(async (tx) => {
        await tx.sql.deleteFrom('login_attempts').execute();
      });
      for (let i = 0; i < 60; i++) await tries(new Browser(demo, `100.64.0.${i}`), 1);
      const new_ = await new Browser(demo, '100.65.0.1').login(who.login);
      expect(new_.statusCode).toBe(429);
      const elsewhere = new Browser(demo, '100.64.0.1');
      elsewhere.cookies.set('__Host-postern-device', browser.cookies.get('__Host-postern-device')!);
      await tries(new Browser(demo, '100.64.0.1'), 10);
      expect((await elsewhere.login(who.login)).statusCode).toBe(303);
      const sameAddress = new Browser(demo, browser.address);
      expect((await sameAddress.login(who.login)).statusCode).toBe(303);
    });

    it('a device that somebody else has named for him is none', async () => {
      const planted = 'p'.repeat(43);
      browser.cookies.set('postern-device', planted);
      await browser.login(who.login);
      expect(browser.cookies.get('__Host-postern-device')).not.toBe(planted);
      const one = stranger();
      one.cookies.set('__Host-postern-device', planted);
      await tries(one, 8);
      browser.cookies.delete(LOGIN);
      expect((await browser.login(who.login)).statusCode).toBe(303);
    });

    it('a device is known to its person only', async () => {
      const attacker = await person(demo);
      const one = stranger();
      await one.login(attacker.login);
      one.cookies.delete(LOGIN);
      expect((await tries(one, 8)).slice(-1)).toEqual([429]);
    });

    it('one client at all accounts is slowed down as well', async () => {
      const one = stranger();
      const said: number[] = [];
      for (let i = 0; i < 34; i++)
        said.push((await one.login(`nobody${n}x${i}`, 'Sommer2026!')).statusCode);
      expect(said.filter((status) => status === 401)).toHaveLength(31);
    });

    it('failures fill neither the log nor the disk', async () => {
      const before = await kit.db.sql.selectFrom('audit_events').select('id').execute();
      const one = stranger();
      await tries(one, 5);
      for (let i = 0; i < 100; i++) await one.login(who.login, 'x');
      const after = await kit.db.sql.selectFrom('audit_events').select('id').execute();
      expect(after.length - before.length).toBeLessThanOrEqual(60);
    });
  });
});
