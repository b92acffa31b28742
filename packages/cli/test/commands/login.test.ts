import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { sft as program } from '../../src/sft.ts';
import { runIn, script } from '../fake/script.ts';
import { problem, TEAM, TOKEN } from '../fake/service.ts';
import { ANA, id } from '../fake/things.ts';
import type { FakeFile } from '../fake/world.ts';

const { service, sft } = script();
const STORE = '/home/ana/.sft/login.json';

/** Nothing but the files is known; no environment. */
const bare = (words: string, files: Map<string, FakeFile>, env = {}) =>
  runIn(program, words, { files, env });

const stored = (more: object = {}, mode = 0o600): Map<string, FakeFile> => {
  const text = JSON.stringify({ url: service().url, team: TEAM, token: TOKEN, ...more });
  return new Map([[STORE, { text, mode }]]);
};

describe('sft login', () => {
  test('checks the token, then keeps url, team and token in a private file', async () => {
    service().on('whoami', () => ({ body: ANA }));
    const files = new Map([['/tmp/token', { text: `${TOKEN}\n`, mode: 0o600 }]]);
    const words = `login --token-file /tmp/token --url ${service().url} --team demo`;
    const { exit, out } = await bare(words, files);
    expect(exit).toBe(EXIT.ok);
    expect(out).toContain(`Logged in to ${service().url}/ as Ana (ana@example.com), team demo.\n`);
    const login = files.get(STORE);
    expect(login?.mode).toBe(0o600);
    expect(JSON.parse(login?.text ?? '')).toEqual({
      url: `${service().url}/`,
      team: 'demo',
      token: TOKEN,
      kept: 'file',
    });
    service().on('listServers', () => ({ body: { list: [] } }));
    expect((await bare('list-servers', files)).exit).toBe(EXIT.ok);
  });

  test.each(['SFT_TOKEN', 'SFT_TOKEN_FILE'])(
    '%s stays in front of it, and is named',
    async (name) => {
      service().on('whoami', () => ({ body: ANA }));
      const files = new Map([['t', { text: TOKEN, mode: 0o600 }]]);
      const words = `login --token-file t --url ${service().url} --team demo`;
      const said = await bare(words, files, { [name]: 't' });
      expect([said.exit, said.err]).toEqual([
        EXIT.ok,
        `${name} is set and goes before this login: unset it to use the login.\n`,
      ]);
      expect((await bare(words, files)).err).toBe('');
    },
  );

  test('a token that the service refuses is not kept: 78', async () => {
    service().on('whoami', () => problem('unauthenticated', 'The token has expired.'));
    const files = new Map([['t', { text: 'another-token', mode: 0o600 }]]);
    const { exit, err } = await sft('login --token-file t', { files });
    expect(exit).toBe(EXIT.config);
    expect(err).toMatch(/^sft: The token is not valid\.\nLog in again/);
    expect(files.has(STORE)).toBe(false);
  });

  test('$XDG_CONFIG_HOME is where it is kept when it is set', async () => {
    service().on('whoami', () => ({ body: ANA }));
    const files = new Map([['-', { text: TOKEN, mode: 0 }]]);
    await sft('login --token-file -', { files, env: { XDG_CONFIG_HOME: '/xdg' } });
    expect(files.has('/xdg/sft/login.json')).toBe(true);
  });

  test('a file that is no token is not sent anywhere, nor shown: 78', async () => {
    const files = new Map([['t', { text: 'two words\nand more', mode: 0o600 }]]);
    const { exit, err } = await sft('login --token-file t', { files });
    expect([exit, service().asked]).toEqual([EXIT.config, []]);
    expect(err).not.toContain('two words');
  });

  test('there is no flag that takes a token', async () => {
    const { exit } = await sft(['login', '--token', 'x']);
    expect(exit).toBe(EXIT.usage);
  });
});

describe('the stored token', () => {
  test('is not sent to another service than it was stored for: 78', async () => {
    const { exit, err } = await bare(
      `whoami --url ${service().url}`,
      stored({ url: 'https://other/' }),
    );
    expect(exit).toBe(EXIT.config);
    expect(err).toMatch(/^sft: Not logged in to http/);
    expect(service().asked).toEqual([]);
  });

  test('is not sent for another team: 78', async () => {
    const { exit } = await bare('whoami --team other', stored());
    expect([exit, service().asked]).toEqual([EXIT.config, []]);
  });

  test('a file that others can read is refused, with the command that fixes it: 78', async () => {
    const { exit, err } = await bare('whoami', stored({}, 0o644));
    expect([exit, service().asked]).toEqual([EXIT.config, []]);
    expect(err).toContain(`chmod 600 ${STORE}`);
  });

  test.each([
    { kept: { id: 'x', secret: 'y' } },
    { kept: 'elsewhere' },
    { token: 7 },
    { sealed: { key: 'x', nonce: 'y' } },
  ])('a file that says %j: 78', async (more) => {
    const { exit, err } = await bare('whoami', stored(more));
    expect([exit, service().asked]).toEqual([EXIT.config, []]);
    expect(err).toContain('Log in again');
  });

  test('a broken file: 78', async () => {
    const { exit } = await bare('whoami', new Map([[STORE, { text: '{', mode: 0o600 }]]));
    expect(exit).toBe(EXIT.config);
  });

  test('SFT_TOKEN_FILE wins over it', async () => {
    service().on('whoami', () => ({ body: ANA }));
    const files = stored({ token: 'an-old-one' });
    files.set('/run/token', { text: TOKEN, mode: 0o444 });
    expect((await bare('whoami', files, { SFT_TOKEN_FILE: '/run/token' })).exit).toBe(EXIT.ok);
  });

  test('SFT_TOKEN_FILE with a token that is over: 78, and logging in alone would not help', async () => {
    service().on('whoami', () => problem('unauthenticated', 'The token is not valid.'));
    const files = stored().set('/run/token', { text: TOKEN, mode: 0o400 });
    const { exit, err } = await bare('whoami', files, { SFT_TOKEN_FILE: '/run/token' });
    expect(exit).toBe(EXIT.config);
    expect(err).toMatch(
      /^sft: The token that SFT_TOKEN_FILE gives is not valid.+\nUnset SFT_TOKEN_FILE/,
    );
    expect((await bare('whoami', files)).err).toMatch(/^sft: The token is not valid\./);
  });
});

describe('sft logout', () => {
  test('ends the token at the service and forgets it here', async () => {
    service()
      .on('whoami', () => ({ body: ANA }))
      .on('revokeToken', () => ({ status: 204 }));
    const files = stored();
    const { exit, out } = await bare('logout', files);
    expect([exit, out, files.has(STORE)]).toEqual([0, 'Logged out.\n', false]);
    expect(service().last('revokeToken').params?.id).toBe(id(14));
  });

  test('the service away: forgotten here, and 69 says that it still works', async () => {
    const files = stored({ url: 'http://127.0.0.1:1/' });
    const { exit, err } = await bare('logout', files);
    expect([exit, files.has(STORE)]).toEqual([EXIT.unavailable, false]);
    expect(err).toContain('still works until it expires');
  });

  test('a token that has ended already: 0', async () => {
    const files = stored({ token: 'ended-before' });
    expect((await bare('logout', files)).exit).toBe(EXIT.ok);
  });

  test('nobody logged in: 0', async () => {
    const { exit, out } = await bare('logout', new Map());
    expect([exit, out]).toEqual([0, 'You were not logged in.\n']);
  });
});

describe('sft whoami', () => {
  test('user, roles, groups with their end', async () => {
    service().on('whoami', () => ({ body: ANA }));
    const { out } = await sft('whoami');
    expect(out).toContain('User:        Ana (ana@example.com)\n');
    expect(out).toMatch(/Groups: {6}engineers, linux-admins \(until 2026-11-24 \d\d:\d\d\)\n/);
  });

  test('nobody logged in: 78, and how to', async () => {
    const { exit, err } = await bare(`whoami --url ${service().url} --team demo`, new Map());
    expect(exit).toBe(EXIT.config);
    expect(err).toContain('\nRun `sft login`, or set SFT_TOKEN_FILE.\n');
  });
});
