import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';

const SECRET = 'a-secret-of-the-client';
let directory: string;
beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'postern-config-'));
});
afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

const write = (name: string, text: string): string => {
  const file = path.join(directory, name);
  fs.writeFileSync(file, text, { mode: 0o600 });
  return file;
};
const load = (yaml: string, environment: Record<string, string | undefined> = {}) =>
  loadConfig({
    environment,
    masterKey: 'unused',
    file: write('postern.yaml', `public_url: https://p.example.test\noidc: {${yaml}}\n`),
  });
const LEAST = 'issuer: "https://idp.example.test", client_id: postern, client_secret_env: S';

test('without it nobody logs in elsewhere', () => {
  expect(loadConfig({ environment: {}, masterKey: 'unused' }).oidc).toBeNull();
});

test('the least: no user is made, and nothing proves a second factor', () => {
  const environment: Record<string, string | undefined> = { S: SECRET };
  expect(load(LEAST, environment).oidc).toEqual({
    name: 'idp.example.test',
    issuer: 'https://idp.example.test',
    client_id: 'postern',
    client_secret: SECRET,
    scopes: ['openid', 'profile', 'email'],
    claims: {
      login: 'preferred_username',
      name: 'name',
      email: 'email',
      attributes: {},
      groups: undefined,
    },
    acr: { phr: [], any: [] },
    amr: { phr: [], any: [] },
    jit: false,
    private_hosts: [],
  });
  expect(environment.S).toBeUndefined();
});

test('from a file and from variables', () => {
  const environment = {
    POSTERN_PUBLIC_URL: 'https://p.example.test',
    POSTERN_OIDC_ISSUER: 'https://idp.example.test',
    POSTERN_OIDC_CLIENT_ID: 'postern',
    POSTERN_OIDC_CLIENT_SECRET_FILE: write('secret', `${SECRET}\n`),
    POSTERN_OIDC_AMR_PHR: 'hwk,swk',
    POSTERN_OIDC_JIT: 'true',
  };
  expect(loadConfig({ environment, masterKey: 'unused' }).oidc).toMatchObject({
    client_secret: SECRET,
    amr: { phr: ['hwk', 'swk'], any: [] },
    jit: true,
  });
});

test.each([
  ['no secret', 'issuer: "https://a.test", client_id: b', 'oidc.client_secret: is needed'],
  ['a secret in the file itself', `${LEAST}, client_secret: abcdefgh`, 'is not a setting'],
  ['two secrets', `${LEAST}, client_secret_file: /x`, 'more than one way'],
  ['http', LEAST.replace('https', 'http'), 'oidc.issuer'],
  [
    'http to a name that may be private',
    `${LEAST.replace('https', 'http')}, private_hosts: [idp.example.test]`,
    'oidc.issuer',
  ],
  [
    'http on loopback that is not permitted',
    LEAST.replace(/https:[^"]+/, 'http://127.0.0.1:1'),
    'oidc.issuer',
  ],
  ['a query', LEAST.replace('test"', 'test?a"'), 'oidc.issuer'],
  ['a user', LEAST.replace('//', '//u:p@'), 'oidc.issuer'],
  ['a misspelt list', `${LEAST}, acr: {any_of: [a]}`, 'oidc.acr.any_of: is not a setting'],
  ['an attribute that is none', `${LEAST}, claims: {attributes: {"a b": c}}`, 'oidc.claims'],
  [
    'an attribute of two claims',
    `${LEAST}, claims: {attributes: {g: c}, groups: {claim: c, attribute: g, only: [a]}}`,
    'another claim',
  ],
  [
    'groups without a list of those that count',
    `${LEAST}, claims: {groups: {claim: c, attribute: g}}`,
    'oidc.claims.groups.only: is missing',
  ],
  [
    'a group that could not be told from two',
    `${LEAST}, claims: {groups: {claim: c, attribute: g, only: ["a|b"]}}`,
    'oidc.claims.groups.only',
  ],
])('%s: is refused, and the secret not repeated', (_what, yaml, said) => {
  const message = (() => {
    try {
      load(yaml, { S: SECRET });
      return 'was taken';
    } catch (error) {
      return (error as Error).message;
    }
  })();
  expect(message).toContain(said);
  expect(message).not.toContain(SECRET);
});

test('without public_url the provider could not send browsers back', () => {
  const environment = { S: SECRET };
  const file = write('other.yaml', `oidc: {${LEAST}}\n`);
  expect(() => loadConfig({ environment, masterKey: 'unused', file })).toThrow(
    'public_url: is needed',
  );
});
