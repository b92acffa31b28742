import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '@postern/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundled, runSft } from './fake/process.ts';
import { FakeService, TEAM, TOKEN } from './fake/service.ts';
import { ANA } from './fake/things.ts';

const isThere = (program: string): boolean =>
  spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
const hasKeyring = ['gnome-keyring-daemon', 'dbus-daemon'].every(isThere);

bundled();

/** Debian's gnome-keyring on a bus of its own, with a home of its own. */
describe.skipIf(!hasKeyring)('a real Secret Service (gnome-keyring, dbus-daemon)', () => {
  let service: FakeService;
  let home: string;
  let token: string;
  const ends: (() => Promise<unknown>)[] = [];

  beforeEach(async () => {
    service = await new FakeService().start();
    service.on('whoami', () => ({ body: ANA })).on('revokeToken', () => ({ status: 204 }));
    home = mkdtempSync(join(tmpdir(), 'sft-keyring-'));
    mkdirSync(join(home, 'run'), { mode: 0o700 });
    token = join(home, 'token');
    writeFileSync(token, TOKEN, { mode: 0o600 });
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
    await service.stop();
    rmSync(home, { recursive: true, force: true });
  });

  /** Left behind by whoever would show a dialog. */
  const dialog = () => join(home, 'dialog');

  const env = (bus = '') => ({
    ...{ PATH: process.env.PATH, HOME: home, XDG_RUNTIME_DIR: join(home, 'run') },
    ...(bus !== '' && { DBUS_SESSION_BUS_ADDRESS: bus }),
  });

  /** @returns the address of a bus that starts a keyring when one is asked for. */
  async function startBus(): Promise<string> {
    const services = join(home, 'services');
    mkdirSync(services, { recursive: true });
    const starts = (name: string, program: string) =>
      writeFileSync(
        join(services, `${name}.service`),
        `[D-BUS Service]\nName=${name}\nExec=${program}\n`,
      );
    starts('org.gnome.keyring.SystemPrompter', `/usr/bin/touch ${dialog()}`);
    starts(
      'org.freedesktop.secrets',
      '/usr/bin/gnome-keyring-daemon --start --foreground --components=secrets',
    );
    const config = join(home, 'bus.conf');
    writeFileSync(
      config,
      `<busconfig><type>session</type><listen>unix:dir=${join(home, 'run')}</listen>
      <servicedir>${services}</servicedir><policy context="default">
      <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`,
    );
    const words = ['--nofork', '--print-address', `--config-file=${config}`];
    const bus = spawn('dbus-daemon', words, { env: env(), stdio: ['ignore', 'pipe', 'ignore'] });
    const ended = new Promise((resolve) => bus.on('close', resolve));
    // The keyring ends with its bus.
    ends.push(() => {
      bus.kill('SIGTERM');
      return ended;
    });
    const said = await new Promise((resolve) => bus.stdout.once('data', resolve));
    return String(said).trim();
  }

  /** Makes the keyring the first time, as a login at a desktop does. */
  function unlock(bus: string): void {
    const words = ['--unlock', '--components=secrets'];
    const stdio = ['pipe', 'ignore', 'ignore'] as const;
    spawnSync('gnome-keyring-daemon', words, { env: env(bus), stdio: [...stdio], input: 'pw' });
  }

  const sft = (bus: string, ...words: string[]) =>
    runSft(words, {
      ...{ HOME: home, DBUS_SESSION_BUS_ADDRESS: bus, SFT_KEYCHAIN: 'auto' },
      ...{ SFT_URL: service.url, SFT_TEAM: TEAM },
    });
  const file = () => readFileSync(join(home, '.sft/login.json'), 'utf8');

  test('a login, a command, and the end of it', async () => {
    const bus = await startBus();
    unlock(bus);
    const made = await sft(bus, 'login', '--token-file', token);
    expect([made.exit, made.out.toString()]).toEqual([
      EXIT.ok,
      expect.stringContaining('Kept in: keychain.'),
    ]);
    expect(file()).not.toContain(TOKEN);
    expect((await sft(bus, 'whoami')).out.toString()).toMatch(/Kept in: +keychain/);
    expect((await sft(bus, 'logout')).exit).toBe(EXIT.ok);
    expect(existsSync(join(home, '.sft/login.json'))).toBe(false);
  });

  test('locked, in the background: 78 at once, and no dialog', async () => {
    const open = await startBus();
    unlock(open);
    await sft(open, 'login', '--token-file', token);
    for (const end of ends.splice(0).reverse()) await end();
    const { exit, err } = await sft(await startBus(), 'whoami');
    expect([exit, existsSync(dialog())]).toEqual([EXIT.config, false]);
    expect(err).toContain('is locked');
  });

  test('no keyring yet: a file, and no dialog that would make one', async () => {
    const made = await sft(await startBus(), 'login', '--token-file', token);
    expect(made.out.toString()).toContain('Kept in: file.');
    expect([existsSync(dialog()), JSON.parse(file()).kept]).toEqual([false, 'file']);
  });

  test('no bus: a file', async () => {
    const made = await sft('', 'login', '--token-file', token);
    expect(made.out.toString()).toContain('Kept in: file.');
  });
});
