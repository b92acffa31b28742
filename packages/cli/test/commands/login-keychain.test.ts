import { EXIT } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import type { KeychainTrouble } from '../../src/keychain.ts';
import { sft as program } from '../../src/sft.ts';
import { type Desk, deskAt, now } from '../fake/desk.ts';
import { FakeKeychain } from '../fake/keychain.ts';
import { runIn, script } from '../fake/script.ts';
import { TOKEN } from '../fake/service.ts';
import { ANA, id } from '../fake/things.ts';
import type { FakeWorldOptions } from '../fake/world.ts';

const { service } = script();
const STORE = '/home/ana/.sft/login.json';
type Home = Desk & { readonly keychain: FakeKeychain };

function home(more: FakeWorldOptions = {}, keychain = new FakeKeychain()): Home {
  service().on('whoami', () => ({ body: ANA }));
  return { ...deskAt(service, more), keychain };
}
const textIn = ({ files }: Home): string => files.get(STORE)?.text ?? '{}';
const inFile = (where: Home) => JSON.parse(textIn(where));
const run = (words: string, where: FakeWorldOptions) => runIn(program, words, where);
const logIn = (where: Home) => run(`login --url ${service().url} --team demo`, where);
const rewritten = (where: Home, change: object): void =>
  void where.files.set(STORE, {
    text: JSON.stringify({ ...inFile(where), ...change }),
    mode: 0o600,
  });
/** It asks at once whether the code was allowed. */
const BY_CODE = { now, sleep: async () => undefined };
/** The same machine without a terminal. */
const inBackground = (where: Home): Home => ({ ...where, isTerminal: false });
const LATER = 3_600_000;
/** The same machine in an hour: the access token is over. */
const later = (where: Home): Home => ({
  ...where,
  clock: { ...where.clock, now: () => (where.clock?.now?.() as number) + LATER } as never,
});
const renewals = () => service().oauth.asked.filter((path) => path === '/oauth/token').length - 1;

/** A login as it was kept before there was a choice. */
async function fromBefore(): Promise<Home> {
  const where = home();
  where.keychain.trouble = 'none';
  await logIn(where);
  const { kept: _, ...before } = inFile(where);
  where.files.set(STORE, { text: JSON.stringify(before), mode: 0o600 });
  where.keychain.trouble = undefined;
  where.keychain.calls.length = 0;
  return where;
}

describe('sft login where there is a keychain', () => {
  test('keeps the key there, and no secret in the file', async () => {
    const where = home();
    const { exit, out } = await logIn(where);
    expect(exit).toBe(EXIT.ok);
    expect(out).toContain('Kept in: keychain.\n');
    const [secret = ''] = where.keychain.items.values();
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32);
    const [family] = service().oauth.families;
    const text = textIn(where);
    for (const open of [family?.access, family?.refresh, secret, '"d"', 'token'])
      expect(text).not.toContain(open);
    expect(Object.keys(inFile(where))).toEqual(['url', 'team', 'sealed']);
    expect(where.files.get(STORE)?.mode).toBe(0o600);
  });

  test('the next command opens it, and says where it is kept', async () => {
    const where = home();
    await logIn(where);
    const { exit, out } = await run('whoami', inBackground(where));
    expect(exit).toBe(EXIT.ok);
    expect(out).toMatch(/\nKept in: +keychain\n/);
    expect(where.keychain.calls.at(-1)).toBe('get quiet');
  });

  test('what needs no token does not touch it', async () => {
    const where = home();
    await logIn(where);
    where.keychain.calls.length = 0;
    for (const words of ['--version', 'completion bash', 'list-servers --help'])
      expect((await run(words, where)).exit).toBe(EXIT.ok);
    const env = { SFT_TOKEN: TOKEN };
    expect((await run('whoami', { ...where, env })).out).toMatch(/Kept in: +environment/);
    expect(where.keychain.calls).toEqual([]);
  });

  test('a token from an administrator is sealed as well', async () => {
    const where = home();
    where.files.set('-', { text: TOKEN, mode: 0 });
    const words = `login --token-file - --url ${service().url} --team demo`;
    expect((await run(words, where)).exit).toBe(EXIT.ok);
    expect(textIn(where)).not.toContain(TOKEN);
    expect((await run('whoami', where)).exit).toBe(EXIT.ok);
  });

  test('another login has another key, and the old one is gone', async () => {
    const where = home();
    await logIn(where);
    const [before] = where.keychain.items.keys();
    await logIn(where);
    expect(where.keychain.items.size).toBe(1);
    expect(where.keychain.items.has(before ?? '')).toBe(false);
  });

  test.each([
    ['a desk', {}, 'may-ask'],
    ['no display', { env: {}, clock: BY_CODE }, 'quiet'],
    ['ssh', { env: { DISPLAY: ':0', SSH_CONNECTION: 'x' }, clock: BY_CODE }, 'quiet'],
  ] as const)('%s: a dialog only for whoever sits before it', async (_, more, manner) => {
    const where = home(more);
    await logIn(where);
    expect(where.keychain.calls).toEqual([`set ${manner}`, `get ${manner}`]);
  });
});

describe('sft login where there is none that works', () => {
  test.each(['none', 'locked', 'slow', 'refused'] as const)(
    '%s: the file holds it, as before, and the answer says so',
    async (trouble) => {
      const where = home();
      where.keychain.trouble = trouble;
      const { exit, out } = await logIn(where);
      expect([exit, inFile(where).kept]).toEqual([EXIT.ok, 'file']);
      expect(out).toContain('Kept in: file.\n');
      expect(inFile(where).oauth.refresh_token).toBe(service().oauth.families[0]?.refresh);
      expect((await run('whoami', where)).out).toMatch(/Kept in: +file/);
    },
  );

  test('one that says yes and keeps nothing is none', async () => {
    const where = home();
    where.keychain.forgets = true;
    await logIn(where);
    expect(inFile(where).kept).toBe('file');
  });

  test('SFT_KEYCHAIN=off: it is not touched, not even when the login is renewed', async () => {
    const where = home({ env: { DISPLAY: ':0', SFT_KEYCHAIN: 'off' } });
    await logIn(where);
    expect((await run('whoami', later(where))).exit).toBe(EXIT.ok);
    expect([renewals(), inFile(where).kept]).toEqual([1, 'file']);
    expect(where.keychain.calls).toEqual([]);
  });

  test('a value of SFT_KEYCHAIN that means nothing: 64, and nothing is kept', async () => {
    const where = home({ env: { DISPLAY: ':0', SFT_KEYCHAIN: 'no' } });
    const { exit, err } = await logIn(where);
    expect([exit, where.files.has(STORE), service().oauth.asked]).toEqual([EXIT.usage, false, []]);
    expect(err).toContain('Set it to off or auto');
  });

  test('a file that stays one is not tried again at each renewal', async () => {
    const where = home();
    where.keychain.trouble = 'none';
    await logIn(where);
    where.keychain.calls.length = 0;
    await run('whoami', later(where));
    expect([renewals(), where.keychain.calls]).toEqual([1, []]);
  });
});

describe('a keychain that was there at the login', () => {
  const loggedIn = async (): Promise<Home> => {
    const where = home();
    await logIn(where);
    service().received.length = 0;
    return where;
  };

  test.each<[KeychainTrouble, RegExp, RegExp]>([
    ['none', /there is none to be reached here/, /sft login/],
    ['locked', /is locked/, /Unlock it/],
    ['slow', /does not answer/, /sft login/],
    ['refused', /does not give out/, /SFT_KEYCHAIN=off/],
  ])('%s: 78, one line and what to do, and nothing is asked', async (trouble, said, next) => {
    const where = await loggedIn();
    where.keychain.trouble = trouble;
    const { exit, err } = await run('whoami', where);
    expect([exit, service().asked]).toEqual([EXIT.config, []]);
    const lines = err.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(said);
    expect(lines[1]).toMatch(next);
  });

  test('its key is gone: 78, and a new login', async () => {
    const where = await loggedIn();
    where.keychain.items.clear();
    const { exit, err } = await run('whoami', where);
    expect(exit).toBe(EXIT.config);
    expect(err).toContain('no key to the stored login any more');
    expect((await logIn(where)).exit).toBe(EXIT.ok);
  });

  test('SFT_KEYCHAIN=off does not open it: 78', async () => {
    const where = await loggedIn();
    where.keychain.calls.length = 0;
    const off = { ...where, env: { ...where.env, SFT_KEYCHAIN: 'off' } };
    const { exit, err } = await run('whoami', off);
    expect(exit).toBe(EXIT.config);
    expect(err).toContain('Unset SFT_KEYCHAIN');
    expect((await logIn(off)).out).toContain('Kept in: file.');
    expect(where.keychain.calls).toEqual([]);
  });

  test.each<[string, (where: Home) => void]>([
    ['another service', (where) => rewritten(where, { url: `${service().url}/else` })],
    ['another team', (where) => rewritten(where, { team: 'other' })],
    ['another authority', (where) => rewritten(where, { ca_file: '/tmp/ca' })],
    [
      'another login',
      (where) => {
        const { sealed } = inFile(where);
        const first = sealed.data[0] === 'A' ? 'B' : 'A';
        rewritten(where, { sealed: { ...sealed, data: first + sealed.data.slice(1) } });
      },
    ],
  ])('what was changed to be for %s does not open: 78', async (_, change) => {
    const where = await loggedIn();
    change(where);
    where.files.set('/tmp/ca', { text: 'x', mode: 0o600 });
    const { exit, err } = await run('whoami', where);
    expect([exit, service().asked]).toEqual([EXIT.config, []]);
    expect(err).toContain('login.json cannot be read');
  });
});

describe('renewing a login whose key is in the keychain', () => {
  test('writes the file alone, under the same key and another nonce', async () => {
    const where = home();
    await logIn(where);
    const [before, items] = [inFile(where).sealed, new Map(where.keychain.items)];
    where.keychain.calls.length = 0;
    expect((await run('whoami', later(where))).exit).toBe(EXIT.ok);
    expect(renewals()).toBe(1);
    expect(where.keychain.calls.every((call) => call.startsWith('get'))).toBe(true);
    expect(where.keychain.items).toEqual(items);
    expect(inFile(where).sealed.key).toBe(before.key);
    expect(inFile(where).sealed.nonce).not.toBe(before.nonce);
    expect((await run('whoami', where)).exit).toBe(EXIT.ok);
    expect(renewals()).toBe(1);
  });

  test('a file from before works, and moves to the keychain when it is renewed', async () => {
    const where = await fromBefore();
    expect((await run('whoami', where)).out).toMatch(/Kept in: +file/);
    expect(where.keychain.calls).toEqual([]);
    expect((await run('whoami', later(where))).exit).toBe(EXIT.ok);
    // Nobody asked for this, so nobody is asked.
    expect(where.keychain.calls).toEqual(['set quiet', 'get quiet']);
    expect(textIn(where)).not.toContain(service().oauth.families[0]?.refresh);
    expect((await run('whoami', where)).out).toMatch(/Kept in: +keychain/);
    expect(renewals()).toBe(1);
  });

  test('a file from before stays one where the keychain is locked', async () => {
    const where = await fromBefore();
    where.keychain.trouble = 'locked';
    expect((await run('whoami', later(where))).exit).toBe(EXIT.ok);
    expect(inFile(where).kept).toBe('file');
    expect(inFile(where).oauth.refresh_token).toBe(service().oauth.families[0]?.refresh);
  });
});

describe('a crash on the way', () => {
  /** The machine as it is after the nth write of a file was the last thing it did. */
  const until = (writes: number, where: Home): Home => ({
    ...where,
    onWorld: (world) => {
      const { writePrivate } = world.files;
      let left = writes;
      Object.assign(world.files, {
        writePrivate: async (path: string, text: string) => {
          if (left-- <= 0) throw new Error('the machine stopped');
          await writePrivate(path, text);
        },
      });
    },
  });

  test('between the key of a new login and its file: the old login still opens', async () => {
    const where = home();
    await logIn(where);
    const [old] = where.keychain.items.keys();
    expect((await logIn(until(0, where))).exit).not.toBe(EXIT.ok);
    expect([...where.keychain.items.keys()]).toEqual([old]);
    expect((await run('whoami', where)).exit).toBe(EXIT.ok);
  });

  test('between the renewed tokens and their move to the keychain: they are in the file', async () => {
    const where = await fromBefore();
    expect((await run('whoami', until(1, later(where)))).exit).not.toBe(EXIT.ok);
    expect(where.keychain.items.size).toBe(1);
    expect((await run('whoami', where)).exit).toBe(EXIT.ok);
    expect(service().oauth.families.at(-1)?.over).toBe(false);
    // The move is made up for at the next renewal.
    await run('whoami', later(later(where)));
    expect(Object.keys(inFile(where))).toContain('sealed');
  });
});

describe('sft logout', () => {
  test('ends the login, and removes file and key', async () => {
    const where = home();
    await logIn(where);
    const { exit, out } = await run('logout', where);
    expect([exit, out]).toEqual([EXIT.ok, 'Logged out.\n']);
    expect([where.files.has(STORE), where.keychain.items.size]).toEqual([false, 0]);
    expect(service().oauth.families[0]?.over).toBe(true);
  });

  test('the key is gone: forgotten here, and 78 says that it still works', async () => {
    const where = home();
    await logIn(where);
    where.keychain.items.clear();
    const { exit, err } = await run('logout', where);
    expect([exit, where.files.has(STORE)]).toEqual([EXIT.config, false]);
    expect(err).toContain('still works until it expires');
  });

  test('--everywhere, and the keychain locked: nothing is forgotten, 78', async () => {
    const where = home();
    await logIn(where);
    where.keychain.trouble = 'locked';
    const { exit, err } = await run('logout --everywhere', where);
    expect([exit, where.files.has(STORE)]).toEqual([EXIT.config, true]);
    expect(err).toContain('Unlock it');
  });

  test('a token of an administrator ends as well', async () => {
    const where = home();
    service().on('revokeToken', () => ({ status: 204 }));
    where.files.set('-', { text: TOKEN, mode: 0 });
    await run(`login --token-file - --url ${service().url} --team demo`, where);
    expect((await run('logout', where)).exit).toBe(EXIT.ok);
    expect(service().last('revokeToken').params?.id).toBe(id(14));
    expect(where.keychain.items.size).toBe(0);
  });
});
