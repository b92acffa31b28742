import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';

const SIGNING = '0123456789abcdef0123456789abcdef';
const BOT = 'xoxb-1-2-abc';
let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'postern-slack-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const write = (name: string, text: string, mode = 0o600): string => {
  const file = path.join(directory, name);
  fs.writeFileSync(file, text, { mode });
  fs.chmodSync(file, mode);
  return file;
};
const load = (yaml: string, environment: Record<string, string> = {}) =>
  loadConfig({ file: write('p.yaml', yaml), environment, masterKey: 'unused' }).slack;
const refusal = (yaml: string, environment: Record<string, string> = {}): string => {
  try {
    load(yaml, environment);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

test('nothing set: there is no Slack', () => {
  expect(load('')).toBeNull();
});

test('secrets from files', () => {
  const yaml = `slack: {signing_secret_file: ${write('s', `${SIGNING}\n`)}, bot_token_file: ${write('b', BOT)}, workspace_id: T0DEMO}`;
  const slack = load(yaml);
  expect(slack).toMatchObject({
    signing_secret: SIGNING,
    bot_token: BOT,
    workspace_id: 'T0DEMO',
    allow_private: false,
  });
  expect(slack?.api_url.href).toBe('https://slack.com/api');
});

test('secrets from variables of one’s own, which are gone afterwards', () => {
  const environment = { SLACK_SIGNING: SIGNING, SLACK_BOT: BOT };
  const names = {
    POSTERN_SLACK_SIGNING_SECRET_ENV: 'SLACK_SIGNING',
    POSTERN_SLACK_BOT_TOKEN_ENV: 'SLACK_BOT',
    POSTERN_SLACK_WORKSPACE_ID: 'T0DEMO',
  };
  const all: Record<string, string> = { ...environment, ...names };
  expect(load('', all)).toMatchObject({ signing_secret: SIGNING, bot_token: BOT });
  expect(all.SLACK_SIGNING ?? all.SLACK_BOT).toBeUndefined();
});

test.each([
  ['no secret', 'slack: {workspace_id: T0DEMO}', 'slack.signing_secret: is needed'],
  ['no workspace', 'slack: {bot_token_env: B, signing_secret_env: S}', 'slack.workspace_id'],
  ['a workspace that is none', 'slack: {workspace_id: demo}', 'slack.workspace_id'],
  ['a secret in the file itself', 'slack: {bot_token: x, workspace_id: T0A}', 'not a setting'],
  [
    'http',
    'slack: {bot_token_env: B, signing_secret_env: S, workspace_id: T0A, api_url: "http://slack.com/api"}',
    'slack.api_url',
  ],
  [
    'the same secret twice',
    'slack: {bot_token_env: B, bot_token_file: /b, signing_secret_env: S, workspace_id: T0A}',
    'more than one way',
  ],
])('refused: %s', (_name, yaml, says) => {
  expect(refusal(yaml, { B: BOT, S: SIGNING })).toContain(says);
});

test('refused without repeating it: a secret that is none', () => {
  const yaml = 'slack: {bot_token_env: B, signing_secret_env: S, workspace_id: T0A}';
  const said = refusal(yaml, { B: 'hunter2', S: 'hunter3' });
  expect(said).toContain('slack.bot_token: must be');
  expect(said).toContain('slack.signing_secret: must be');
  expect(said).not.toMatch(/hunter/);
});
