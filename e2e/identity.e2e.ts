import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HOST } from './world/grant.ts';
import { type Account, invited, logInByCode, openAccount } from './world/logins.ts';
import { newcomerAt, type Person } from './world/people.ts';
import { asksAtEachConnection } from './world/second-factor.ts';
import { Terminal } from './world/terminal.ts';
import { openWorld, type World } from './world/world.ts';

const SSH = ['ssh', HOST, '--account', 'pamadmin2'];

let world: World;
let ana: Person;
let account: Account;

beforeAll(async () => {
  world = await openWorld({ sshd: false, publicHost: '127.0.0.1' });
  await asksAtEachConnection(world, 'any');
  account = await openAccount(world.service, 'ana', await invited(world, 'ana'));
  ana = newcomerAt(world.service, world.directory, 'ana');
}, 180_000);
afterAll(() => world?.end(), 60_000);

describe('a person who logs in', () => {
  it('before it, commands say what to run: 78', async () => {
    const { code, stderr } = await ana.sft('whoami');
    expect(code).toBe(78);
    expect(stderr).toContain('sft login');
  });

  it('without a terminal no browser is opened: 78', async () => {
    const { code, stderr } = await ana.sft('login');
    expect([code, stderr]).toEqual([78, expect.stringContaining('--no-browser')]);
  });

  it('by a code that her browser allows', async () => {
    const ran = await logInByCode(ana, account);
    expect([ran.code, ran.stdout]).toEqual([0, expect.stringContaining('as Ana Silva (ana)')]);
    expect((await ana.sft('whoami')).code).toBe(0);
  }, 120_000);

  it('proves herself at each connection, and the client goes on by itself', async () => {
    const blind = await ana.sft(...SSH, '--', 'true');
    expect([blind.code, blind.stderr]).toEqual([77, expect.stringContaining('MFA')]);
    for (const n of [1, 2]) {
      const terminal = new Terminal(ana, 'sft', [...SSH, '--', `echo "in ${n}"`]);
      await terminal.see('One-time code');
      terminal.type(`${await account.app.code()}\r`);
      expect(await terminal.exit, terminal.shown).toBe(0);
      expect(terminal.shown).toContain(`in ${n}`);
    }
  }, 180_000);

  it('a wrong code opens nothing', async () => {
    const terminal = new Terminal(ana, 'sft', [...SSH, '--', 'true']);
    await terminal.see('One-time code');
    terminal.type('000000\r');
    await terminal.see('That is not the code');
    terminal.type('\u0003');
    expect(await terminal.exit).toBe(130);
  }, 60_000);

  it('logs out everywhere: what is open is cut, and what is kept opens nothing', async () => {
    const open = new Terminal(ana, 'sft', SSH);
    await open.see('One-time code');
    open.type(`${await account.app.code()}\r`);
    await open.see('$');
    const file = join(ana.home, '.sft/login.json');
    const kept = readFileSync(file);
    const ran = await ana.sft('logout', '--everywhere');
    expect([ran.code, ran.stdout]).toEqual([0, 'Logged out everywhere.\n']);
    expect(await open.exit).toBe(255);
    expect((await ana.sft('whoami')).code).toBe(78);
    writeFileSync(file, kept, { mode: 0o600 });
    const stolen = await ana.sft('whoami');
    expect([stolen.code, stolen.stdout]).toEqual([78, '']);
    await account.browser.open('/account');
    expect(account.browser.url.pathname).toBe('/login');
  }, 120_000);
});
