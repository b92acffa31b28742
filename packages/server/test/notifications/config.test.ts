import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';

const SECRET = Buffer.alloc(32, 7).toString('base64');
let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'postern-messages-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const write = (name: string, text: string, mode = 0o600): string => {
  const file = path.join(directory, name);
  fs.writeFileSync(file, text, { mode });
  fs.chmodSync(file, mode);
  return file;
};
const load = (yaml: string, environment: Record<string, string> = {}) =>
  loadConfig({ file: write('p.yaml', yaml), environment, masterKey: 'unused' }).messages;

test('nothing set: nobody is told', () => {
  expect(load('')).toEqual({ mail: null, webhooks: [] });
});

test('mail, by variables; the URL is gone from the environment', () => {
  const environment = {
    POSTERN_MAIL_URL: 'smtps://u:hunter2@mail.example:465',
    POSTERN_MAIL_FROM: 'Postern <postern@example.com>',
  };
  const { mail } = load('', environment);
  expect(mail).toMatchObject({
    from: { name: 'Postern', address: 'postern@example.com' },
    allow_plaintext: false,
  });
  expect(mail!.url.password).toBe('hunter2');
  expect(environment.POSTERN_MAIL_URL).toBeUndefined();
});

test('secrets from files and from variables of one’s own, which are gone afterwards', () => {
  const environment = { CHAT_URL: 'https://hooks.example/T/B/x', OPS_SECRET: SECRET };
  const mailFile = write('mail', 'smtp://u:p@mail.example\n');
  const { mail, webhooks } = load(
    `mail: {url_file: ${mailFile}, from: p@example.com}
webhooks:
  - {name: chat, url_env: CHAT_URL, format: slack}
  - {name: ops, url: "https://ops.example/hook", secret_env: OPS_SECRET}
  - {name: lan, url: "http://10.0.0.1/", secret_file: ${write('s', `whsec_${SECRET}`)}, allow_private: true}
`,
    environment,
  );
  expect(mail!.url.host).toBe('mail.example');
  expect(webhooks.map((w) => [w.name, w.url.host, w.format, w.key?.length])).toEqual([
    ['chat', 'hooks.example', 'slack', undefined],
    ['ops', 'ops.example', 'postern', 32],
    ['lan', '10.0.0.1', 'postern', 32],
  ]);
  expect(environment).toEqual({});
});

test.each([
  ['mail: {from: p@example.com}', 'mail.url: must be smtp'],
  ['mail: {url: "http://hunter2.example", from: p@example.com}', 'mail.url: must be smtp'],
  ['mail: {url: "smtp://u:hunter2@h"}', 'mail.from: must be an address'],
  ['mail: {url: "smtp://u:hunter2@h", url_file: /x, from: p@example.com}', 'more than one way'],
  ['mail: {url_file: /nowhere/hunter2x, from: p@example.com}', 'does not exist'],
  ['mail: {url: "smtp://h", from: "P\\r\\nBcc: x <p@example.com>"}', 'mail.from: must be'],
  ['webhooks: [{name: a, url: "https://hunter2.example/"}]', 'webhooks.a.secret: is needed'],
  ['webhooks: [{name: a, format: slack}]', 'webhooks.a.url: must be https'],
  ['webhooks: [{name: a, format: slack, url: "http://hunter2.example/"}]', 'must be https'],
  ['webhooks: [{name: a, format: slack, url: "ftp://x/", allow_private: true}]', 'must be https'],
  ['webhooks: [{name: A b, format: slack, url: "https://x/"}]', 'webhooks.0.name'],
  ['webhooks: [{name: a, format: irc, url: "https://x/"}]', 'webhooks.0.format'],
  ['webhooks: [{name: a, url: "https://x/", secret: hunter2}]', 'secret: is not a setting'],
  ['webhooks: [{name: a, format: slack, url_env: POSTERN_TEAM}]', 'webhooks.0.url_env'],
  ['webhooks: [{name: a, format: slack, url_env: UNSET}]', 'the variable UNSET is not set'],
  [
    'webhooks: [{name: a, format: slack, url: "https://x/"}, {name: a, format: slack, url: "https://y/"}]',
    'webhooks.a: is there twice',
  ],
])('refused: %s', (yaml, what) => {
  expect(() => load(yaml)).toThrow(what);
  try {
    load(yaml);
  } catch (error) {
    expect(String(error)).not.toMatch(/hunter2(?!x)/);
  }
});

test('refused: a key that is too short, a file that others can read', () => {
  const yaml = (file: string) => `webhooks: [{name: a, url: "https://x/", secret_file: ${file}}]`;
  expect(() => load(yaml(write('short', 'c2hvcnQ=')))).toThrow('24 to 64 bytes');
  expect(() => load(yaml(write('open', SECRET, 0o644)))).toThrow('is open to others');
});
