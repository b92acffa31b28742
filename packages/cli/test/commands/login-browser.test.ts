import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { sft as program } from '../../src/sft.ts';
import { nodeFiles } from '../../src/world/node-files.ts';
import { deskAt, now } from '../fake/desk.ts';
import { runIn, script } from '../fake/script.ts';
import { ANA } from '../fake/things.ts';
import type { FakeFile, FakeWorldOptions } from '../fake/world.ts';

const { service } = script();
const STORE = '/home/ana/.sft/login.json';
const DISPLAY = { DISPLAY: ':0' };

const desk = (visit?: (url: URL) => unknown, more: FakeWorldOptions = {}) =>
  deskAt(service, more, visit);

const login = (options: FakeWorldOptions, words = 'login') =>
  runIn(program, `${words} --url ${service().url} --team demo`, options);
const stored = (files: Map<string, FakeFile>) => JSON.parse(files.get(STORE)?.text ?? '{}');
const asAna = () => service().on('whoami', () => ({ body: ANA }));

describe('sft login in the browser', () => {
  test('a code at a loopback address becomes a login, in a private file', async () => {
    asAna();
    const pages: Response[] = [];
    const options = desk(async (url) => pages.push(await service().oauth.visit(url)));
    const { exit, out, err } = await login(options);
    expect(exit).toBe(EXIT.ok);
    expect(out).toContain('as Ana (ana@example.com), team demo.');
    expect(err).toContain(`${service().url}/oauth/auth?client_id=sft&response_type=code`);
    expect(options.files.get(STORE)?.mode).toBe(0o600);
    const { oauth } = stored(options.files);
    expect(oauth.key).toMatchObject({ kty: 'EC', crv: 'P-256' });
    for (const secret of [oauth.access_token, oauth.refresh_token, oauth.key.d])
      expect(out + err).not.toContain(secret);
    expect(await pages[0]?.text()).toContain('You may close this window');
    // The next command comes with a proof of the key that is kept.
    const next = await runIn(program, 'whoami', desk(undefined, { files: options.files }));
    expect(next.exit).toBe(EXIT.ok);
  });

  test('says what it runs on, and binds the code to its key', async () => {
    asAna();
    let asked = new URLSearchParams();
    await login(
      desk((url) => {
        asked = url.searchParams;
        return service().oauth.visit(url);
      }),
    );
    expect(asked.get('device_name')).toBe('anas-laptop');
    expect(asked.get('code_challenge_method')).toBe('S256');
    expect(asked.get('dpop_jkt')).toBe(service().oauth.families[0]?.jkt);
    expect(asked.get('redirect_uri')).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  });

  test('goes on waiting when something else comes to its port', async () => {
    asAna();
    const answers: number[] = [];
    const options = desk(async (url) => {
      const back = url.searchParams.get('redirect_uri') ?? '';
      const state = url.searchParams.get('state');
      for (const wrong of [
        `${back}?code=x&state=y`,
        `${back}?error=access_denied`,
        back.replace('/callback', '/other'),
      ])
        answers.push((await fetch(wrong)).status);
      const host = { host: 'evil.example' };
      const { request } = await import('node:http');
      await new Promise<void>((done) => {
        request(`${back}?code=x&state=${state}`, { headers: host }, (answer) => {
          answers.push(answer.statusCode ?? 0);
          answer.resume().on('end', done);
        }).end();
      });
      answers.push((await fetch(`${back}?code=x&state=${state}`, { method: 'POST' })).status);
      await service().oauth.visit(url);
    });
    expect((await login(options)).exit).toBe(EXIT.ok);
    expect(answers).toEqual([404, 404, 404, 404, 404]);
  });

  test.each([
    ['another issuer', { iss: 'https://evil.example/oauth' }],
    ['no issuer', { iss: '' }],
    ['an error', { error: 'access_denied' }],
    ['a code that is not ours', { code: 'stolen' }],
  ])('%s in the answer: nothing is kept, and not 0', async (_, bent) => {
    const options = desk((url) => service().oauth.visit(url, bent));
    const { exit } = await login(options);
    expect(exit).not.toBe(EXIT.ok);
    expect(options.files.has(STORE)).toBe(false);
    expect(service().asked).toEqual([]);
  });

  test('nobody comes within five minutes: 78', async () => {
    const waited: number[] = [];
    const sleep = async (ms: number) => void waited.push(ms);
    const { exit, err } = await login(desk(() => undefined, { clock: { now, sleep } }));
    expect([exit, waited]).toEqual([EXIT.config, [300_000]]);
    expect(err).toContain('sft login --no-browser');
  });

  test('a service that says it is another: nothing is asked, 78', async () => {
    service().oauth.issuer = 'https://postern.example.com/oauth';
    const { exit, err } = await login(desk());
    expect(exit).toBe(EXIT.config);
    expect(err).toContain('sft login --url https://postern.example.com');
    expect(service().oauth.asked).toEqual(['/oauth/.well-known/openid-configuration']);
  });

  test('without a terminal: no browser, nothing asked, 78', async () => {
    const { exit, err } = await login({ env: DISPLAY });
    expect([exit, service().oauth.asked]).toEqual([EXIT.config, []]);
    expect(err).toContain('Run `sft login` in a terminal');
  });
});

describe('sft login with a code', () => {
  const coded = (more: FakeWorldOptions = {}, sleeps: number[] = []) =>
    desk(
      () => {
        throw new Error('a browser was opened');
      },
      { clock: { now, sleep: async (ms) => void sleeps.push(ms) }, ...more },
    );

  test.each([
    ['--no-browser', 'login --no-browser', DISPLAY],
    ['SFT_NO_BROWSER', 'login', { ...DISPLAY, SFT_NO_BROWSER: '1' }],
    ['no display', 'login', {}],
    ['ssh', 'login', { ...DISPLAY, SSH_CONNECTION: '10.0.0.1 1 10.0.0.2 22' }],
  ])('%s: shows the address and the code, opens nothing', async (_, words, env) => {
    asAna();
    const { exit, err } = await login(coded({ env }), words);
    expect(exit).toBe(EXIT.ok);
    expect(err).toContain(`Open ${service().url}/oauth/device in a browser`);
    expect(err).toContain('BCDF-GHJK');
    expect(service().oauth.device).toMatchObject({ client_id: 'sft', device_name: 'anas-laptop' });
  });

  test('asks every five seconds, and slower when it is told to', async () => {
    asAna();
    service().oauth.polls.push('authorization_pending', 'slow_down', 429, 'authorization_pending');
    const sleeps: number[] = [];
    expect((await login(coded({}, sleeps), 'login --no-browser')).exit).toBe(EXIT.ok);
    expect(sleeps).toEqual([5000, 5000, 10_000, 15_000, 15_000]);
  });

  test.each([
    ['access_denied', 'refused in the browser'],
    ['expired_token', 'within ten minutes'],
  ])('%s: 78, and nothing is kept', async (error, words) => {
    service().oauth.polls.push(error);
    const options = coded();
    const { exit, err } = await login(options, 'login --no-browser');
    expect([exit, options.files.has(STORE)]).toEqual([EXIT.config, false]);
    expect(err).toContain(words);
  });
});

describe('a login whose access token is over', () => {
  /** A folder of its own, with a login whose token ends `in_ms` from now. */
  async function overdue(in_ms: number): Promise<{ home: string; path: string }> {
    asAna();
    const options = desk();
    expect((await login(options)).exit).toBe(EXIT.ok);
    const home = mkdtempSync(join(tmpdir(), 'sft-login-'));
    const kept = stored(options.files);
    kept.oauth.expires_at = now() + in_ms;
    const path = join(home, 'sft', 'login.json');
    await nodeFiles.writePrivate(path, JSON.stringify(kept));
    return { home, path };
  }
  const command = (home: string, words = 'whoami') =>
    runIn(program, words, {
      env: { XDG_CONFIG_HOME: home },
      clock: { now },
      onWorld: (world) => Object.assign(world, { files: nodeFiles }),
    });
  const refreshes = () =>
    service().oauth.asked.filter((path) => path === '/oauth/token').length - 1;

  test('is renewed by whatever command comes next, without a terminal', async () => {
    const { home, path } = await overdue(-1);
    const before = JSON.parse(readFileSync(path, 'utf8')).oauth;
    expect((await command(home)).exit).toBe(EXIT.ok);
    const after = JSON.parse(readFileSync(path, 'utf8')).oauth;
    expect(after.refresh_token).not.toBe(before.refresh_token);
    expect(after.key).toEqual(before.key);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect((await command(home)).exit).toBe(EXIT.ok);
    expect(refreshes()).toBe(1);
    rmSync(home, { recursive: true });
  });

  test('ten commands at once renew it once, and all of them go on', async () => {
    const { home } = await overdue(-1);
    const ran = await Promise.all(Array.from({ length: 10 }, () => command(home)));
    expect(ran.map(({ exit }) => exit)).toEqual(Array(10).fill(EXIT.ok));
    expect(refreshes()).toBe(1);
    expect(service().oauth.families.map(({ over }) => over)).toEqual([false]);
    rmSync(home, { recursive: true });
  });

  test('what a command left that was killed holds nobody up', async () => {
    const { home, path } = await overdue(-1);
    // No process has this number: it is above what Linux gives.
    writeFileSync(`${path}.lock`, '99999999 of-a-dead-one');
    const ran = await Promise.all(Array.from({ length: 5 }, () => command(home)));
    expect(ran.map(({ exit }) => exit)).toEqual(Array(5).fill(EXIT.ok));
    expect(refreshes()).toBe(1);
    rmSync(home, { recursive: true });
  });

  test('ended at the service: 78, and how to go on', async () => {
    const { home } = await overdue(-1);
    for (const family of service().oauth.families) family.over = true;
    const { exit, err } = await command(home);
    expect(exit).toBe(EXIT.config);
    expect(err).toContain('The login has ended');
    expect(err).toContain('sft login');
    rmSync(home, { recursive: true });
  });

  test('the service away: 69, and the login is kept', async () => {
    const { home, path } = await overdue(-1);
    const kept = JSON.parse(readFileSync(path, 'utf8'));
    await nodeFiles.writePrivate(path, JSON.stringify({ ...kept, url: 'http://127.0.0.1:1/' }));
    expect((await command(home)).exit).toBe(EXIT.unavailable);
    expect(JSON.parse(readFileSync(path, 'utf8')).oauth).toEqual(kept.oauth);
    rmSync(home, { recursive: true });
  });
});

describe('sft logout', () => {
  test('ends the login at the service, then forgets it', async () => {
    asAna();
    const options = desk();
    await login(options);
    const { exit, out } = await runIn(program, 'logout', options);
    expect([exit, out, options.files.has(STORE)]).toEqual([0, 'Logged out.\n', false]);
    expect(service().oauth.families[0]?.over).toBe(true);
  });

  test('--everywhere ends all logins first, and then its own', async () => {
    asAna().on('endLogins', () => ({ status: 204 }));
    const options = desk();
    await login(options);
    const { exit, out } = await runIn(program, 'logout --everywhere', options);
    expect([exit, out]).toEqual([0, 'Logged out everywhere.\n']);
    expect(options.files.has(STORE)).toBe(false);
    expect(service().asked.at(-1)).toBe('endLogins');
  });

  test('--everywhere, and the service away: nothing is forgotten, 69', async () => {
    asAna();
    const options = desk();
    await login(options);
    const kept = stored(options.files);
    const text = JSON.stringify({ ...kept, url: 'http://127.0.0.1:1/' });
    options.files.set(STORE, { text, mode: 0o600 });
    const { exit } = await runIn(program, 'logout --everywhere', options);
    expect([exit, options.files.has(STORE)]).toEqual([EXIT.unavailable, true]);
  });

  test('--everywhere without a login here: 78, and where else', async () => {
    const { exit, err } = await runIn(program, 'logout --everywhere', desk());
    expect(exit).toBe(EXIT.config);
    expect(err).toContain('/account');
  });
});
