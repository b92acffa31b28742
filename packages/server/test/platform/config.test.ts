import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { EXIT } from '@postern/shared';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConfigSources, loadConfig } from '../../src/config.ts';
import { isNetwork, matcher } from '../../src/platform/networks.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');

let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'postern-config-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const write = (name: string, text: string, mode = 0o600): string => {
  const file = path.join(directory, name);
  fs.writeFileSync(file, text);
  fs.chmodSync(file, mode);
  return file;
};
const load = (environment: ConfigSources['environment'], yaml?: string) =>
  loadConfig({
    environment,
    masterKey: 'unused',
    ...(yaml === undefined ? {} : { file: write('postern.yaml', yaml) }),
  });

test('nothing set: loopback, PGlite, no master key and no other secret', () => {
  expect(load({})).toMatchObject({
    listen: { host: '127.0.0.1', port: 4747 },
    database_url: undefined,
    master_key: undefined,
    bootstrap_token_file: undefined,
    static_tokens: false,
    demo: false,
    session: { max_seconds: 28_800 },
    gateway: { enabled: true, host: '127.0.0.1', public_host: '127.0.0.1' },
  });
});

test('a variable wins over the file, setting by setting', () => {
  const config = load(
    { POSTERN_LISTEN_PORT: '5000', POSTERN_GATEWAY_ENABLED: 'false' },
    'listen: {host: "::1", port: 4000}\ngateway: {port: 2222}\nteam: acme\n',
  );
  expect(config.listen).toEqual({ host: '::1', port: 5000 });
  expect(config.gateway).toMatchObject({ enabled: false, port: 2222 });
  expect(config.team).toBe('acme');
});

test('all problems are reported together, with exit 78', () => {
  const failing = () =>
    load(
      { POSTERN_DATBASE_URL: 'x', POSTERN_LISTEN_PORT: 'http', POSTERN_MASTER_KEY: 'short' },
      'lisen: {}\nteam: "No Team"\ntls: {cert_file: a}\nsession: {max_seconds: 1}\n',
    );
  expect(failing).toThrow(expect.objectContaining({ name: 'StartupError', exit: EXIT.config }));
  expect(failing).toThrow(/has 7 problems/);
  for (const where of [
    'POSTERN_DATBASE_URL: is not a setting',
    'lisen: is not a setting',
    'team: ',
    'tls.key_file: is missing',
    'session.max_seconds: ',
    'listen.port: must be integer',
    'POSTERN_MASTER_KEY: must hold 32 bytes',
  ])
    expect(failing).toThrow(where);
});

test('secrets leave the environment, also when the configuration is refused', () => {
  for (const extra of [{}, { POSTERN_NONSENSE: '1' }]) {
    const environment = {
      POSTERN_MASTER_KEY: KEY,
      POSTERN_DATABASE_URL: 'postgres://u:hunter2@127.0.0.1/x',
      ...extra,
    };
    try {
      expect(load(environment).master_key?.toString('base64')).toBe(KEY);
    } catch (error) {
      expect(String(error)).not.toContain('hunter2');
    }
    expect(Object.keys(environment).filter((name) => name !== 'POSTERN_NONSENSE')).toEqual([]);
  }
});

test('no problem repeats what was given', () => {
  const failing = () =>
    load({ POSTERN_DATABASE_URL: 'mysql://u:hunter2@h/x', POSTERN_MASTER_KEY: 'hunter2' });
  expect(failing).toThrow(/database_url/);
  try {
    failing();
  } catch (error) {
    expect(String(error)).not.toContain('hunter2');
  }
});

test.each(['0.0.0.0', '::', '10.0.0.1', 'postern.example'])(
  'refused: listening on %s without tls or trusted_proxies',
  (host) => {
    expect(() => load({ POSTERN_LISTEN_HOST: host })).toThrow(/listen\.host/);
    expect(
      load({ POSTERN_LISTEN_HOST: host, POSTERN_TRUSTED_PROXIES: '10.0.0.0/8, ::1' })
        .trusted_proxies,
    ).toEqual(['10.0.0.0/8', '::1']);
    load({
      POSTERN_LISTEN_HOST: host,
      POSTERN_TLS_CERT_FILE: '/c.pem',
      POSTERN_TLS_KEY_FILE: '/k.pem',
    });
  },
);

test.each(['0.0.0.0/0', '::/0', '10.0.0.0/7', 'proxy', '10.0.0.0/33', '10.0.0.0/8/8', ''])(
  'no proxy network: "%s"',
  (text) => expect(isNetwork(text)).toBe(false),
);

test('an IPv4 address written as IPv6 is matched as IPv4', () => {
  const matches = matcher(['10.0.0.0/8', '::1']);
  expect(['10.1.2.3', '::ffff:10.1.2.3', '::1'].map(matches)).toEqual([true, true, true]);
  expect(['11.0.0.1', '::ffff:11.0.0.1', '::2', 'x', ''].filter(matches)).toEqual([]);
});

test.each(['http://postern.example', 'ftp://x', 'https://u:p@x', 'postern.example'])(
  'refused: public_url %s',
  (url) => expect(() => load({ POSTERN_PUBLIC_URL: url })).toThrow(/public_url/),
);

test('public_url: https, or http to loopback, without a slash at the end', () => {
  expect(load({ POSTERN_PUBLIC_URL: 'https://postern.example/' }).public_url).toBe(
    'https://postern.example',
  );
  expect(load({ POSTERN_PUBLIC_URL: 'http://127.0.0.1:4747' }).public_url).toBe(
    'http://127.0.0.1:4747',
  );
});

test('the master key: from a file that others cannot read, or a descriptor, once', () => {
  const file = write('key', `${KEY}\n`);
  const read = (environment: Record<string, string>) =>
    loadConfig({ environment, masterKey: 'required' }).master_key?.toString('base64');
  expect(read({ POSTERN_MASTER_KEY_FILE: file })).toBe(KEY);
  expect(read({ POSTERN_MASTER_KEY_FD: String(fs.openSync(file, 'r')) })).toBe(KEY);
  expect(() => read({})).toThrow(/master_key: is needed: .+ openssl rand -base64 32/);
  expect(() => read({ POSTERN_MASTER_KEY: KEY, POSTERN_MASTER_KEY_FILE: file })).toThrow(
    /more than one way/,
  );
  expect(() => read({ POSTERN_MASTER_KEY_FILE: write('open', KEY, 0o644) })).toThrow(/chmod 600/);
  expect(() => read({ POSTERN_MASTER_KEY_FILE: path.join(directory, 'none') })).toThrow(
    /none: does not exist/,
  );
  expect(() => read({ POSTERN_MASTER_KEY_FD: '1' })).toThrow(/descriptor/);
  expect(() => read({ POSTERN_MASTER_KEY: KEY.slice(4) })).toThrow(/32 bytes/);
});

test.each(['- a list', 'a: 1\na: 2', 'a: [', '&x a: *y'])('refused: the YAML file %j', (yaml) =>
  expect(() => load({}, yaml)).toThrow(/problem/),
);
