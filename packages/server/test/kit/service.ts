import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AccessMethod, plus, seconds } from '@postern/shared';
import type { FastifyInstance, LightMyRequestResponse } from 'fastify';
import { parseAllDocuments } from 'yaml';
import { buildApp } from '../../src/app.ts';
import type { SlackSettings } from '../../src/chat/index.ts';
import { type Composed, compose } from '../../src/deps.ts';
import { bootstrapTeam } from '../../src/directory/index.ts';
import type { Refusal } from '../../src/platform/errors.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { createPasswordHasher, type PasswordHasher } from '../../src/platform/password-hash.ts';
import { type Signals, startSignals } from '../../src/platform/signals.ts';
import type { OidcSettings } from '../../src/upstream/index.ts';
import {
  createKeyring,
  type Keyring,
  keyringCheck,
  parseMasterKey,
} from '../../src/vault/index.ts';
import { VERSION } from '../../src/version.ts';
import { type TestFactors, testFactors } from './factors.ts';
import type { Kit } from './index.ts';

export const TEAM = 'demo';
export const PREFIX = `/v1/teams/${TEAM}`;
/** Where mails say that the service is. */
export const PUBLIC_URL = 'https://postern.example.test';
export const LONGEST_LOGIN = seconds(12 * 3600);
export const LONGEST_SESSION = seconds(8 * 3600);
export const PASSWORDS = {
  DEMO_PAMADMIN1_PASSWORD: 'correct horse 1',
  DEMO_PAMADMIN2_PASSWORD: 'correct horse 2',
};
const HOST_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ';

/** The service on a kit's database, called without a socket, with the demo world on request. */
export interface TestService {
  readonly app: FastifyInstance;
  readonly composed: Composed;
  readonly signals: Signals;
  readonly bootstrap: string;
  readonly keyring: Keyring;
  /** Errors that reached the log: a test that ends with one has found a bug. */
  readonly faults: unknown[];
  /** The log, a JSON text a line. */
  readonly lines: string[];
  /** What it remembers is so much older at once. */
  age(ms: number): void;
  /** What was committed until now has been heard, so that caches have forgotten what it changed. */
  settled(): Promise<void>;
  /** Set, it is what the guard of the clock refuses with. */
  readonly clock: { refusal: Refusal | undefined };
  /** How often a password was hashed or compared. */
  readonly hashed: { count: number };
  /** Where recordings are looked for. */
  readonly recordings: string;
  /** Second factors of its people; at first nobody has one. */
  readonly factors: TestFactors;
  call(
    token: string | undefined,
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<LightMyRequestResponse>;
  stop(): Promise<void>;
}

/** A workspace that nobody answers for. */
export const TEST_SLACK: SlackSettings = {
  signing_secret: randomBytes(16).toString('hex'),
  bot_token: 'xoxb-test',
  workspace_id: 'T0DEMO',
  api_url: new URL('http://127.0.0.1:9/api'),
  allow_private: true,
};

export async function startService(
  kit: Kit,
  slack: SlackSettings | null = TEST_SLACK,
  browserLoginOf?: BrowserLoginOf,
  oidc: OidcSettings | null = null,
): Promise<TestService> {
  const master = parseMasterKey(randomBytes(32).toString('base64'));
  if (!master.ok) throw new Error(master.reason);
  const keyring = createKeyring([master.value]);
  if (!keyring.ok) throw new Error(keyring.reason);
  const team = await kit.transact((tx) =>
    bootstrapTeam(tx, {
      team: TEAM,
      demo: false,
      keyring_check: keyringCheck(keyring.value),
      bootstrap_token: true,
    }),
  );
  await prolongTokens(kit); // it lives for an hour; tests move the clock further
  return serveOn(kit, keyring.value, team.bootstrap_token!, slack, browserLoginOf, oidc);
}

/** All tokens there are live for a day more. */
export const prolongTokens = (kit: Kit) =>
  kit.db.sql
    .updateTable('tokens')
    .set({ expires_at: plus(kit.clock.now(), seconds(86_400)) })
    .execute();

/** The service on a database that another one has left. */
export const startAgain = (
  kit: Kit,
  of: Pick<TestService, 'keyring' | 'bootstrap'>,
  slack: SlackSettings | null = TEST_SLACK,
  oidc: OidcSettings | null = null,
): Promise<TestService> => serveOn(kit, of.keyring, of.bootstrap, slack, undefined, oidc);

/** Another process of the same service: the same database and keys, and nothing else shared. */
export const startReplica = (
  kit: Kit,
  of: TestService,
  browserLoginOf?: BrowserLoginOf,
): Promise<TestService> => serveOn(kit, of.keyring, of.bootstrap, TEST_SLACK, browserLoginOf);

type BrowserLoginOf = Parameters<typeof compose>[1]['browserLoginOf'];

async function serveOn(
  kit: Kit,
  keyring: Keyring,
  bootstrap: string,
  slack: SlackSettings | null,
  browserLoginOf: BrowserLoginOf,
  oidc: OidcSettings | null = null,
): Promise<TestService> {
  const recordings = mkdtempSync(join(tmpdir(), 'postern-recordings-'));
  const faults: unknown[] = [];
  const lines: string[] = [];
  const log = createLogger('debug', {
    write: (line) => {
      lines.push(line);
      const { level, ...facts } = JSON.parse(line) as Record<string, unknown>;
      if (level === 'error' || level === 'fatal') faults.push(facts);
    },
  });
  const signals = await startSignals(kit.db, (error) => faults.push(error));
  let composed: Composed | undefined;
  const hashed = { count: 0 };
  let age = 0;
  const clock = { refusal: undefined as Refusal | undefined };
  const factors = testFactors();
  const metrics = createMetrics();
  const app = await buildApp({
    version: VERSION,
    log,
    metrics,
    checks: [],
    closeStreams: () => composed?.closeStreams(),
    register: async (instance) => {
      shareCompiled(instance);
      composed = await compose(instance, {
        team: TEAM,
        publicUrl: PUBLIC_URL,
        staticTokens: true,
        origins: () => [PUBLIC_URL],
        oauth: { login_seconds: LONGEST_LOGIN },
        ...(browserLoginOf === undefined ? {} : { browserLoginOf }),
        transact: kit.transact,
        clock: kit.clock,
        clockGuard: {
          assertSafe: () => {
            if (clock.refusal !== undefined) throw clock.refusal;
          },
        },
        signals,
        keyring,
        passwords: countedHasher(hashed),
        recordingDir: recordings,
        longestSession: LONGEST_SESSION,
        // Stands still, as the kit's clock does: what is heard is heard by signal, not by age.
        monotonic: () => age,
        messages: { mail: null, webhooks: [] },
        slack,
        push: { private_hosts: ['127.0.0.1'] },
        factors,
        workload: { private_hosts: ['127.0.0.1'] },
        oidc,
        metrics,
        log,
      });
    },
  });
  serializers ??= app.serializerCompiler;
  return {
    app,
    composed: composed!,
    signals,
    bootstrap,
    keyring,
    faults,
    lines,
    clock,
    age: (ms) => {
      age += ms;
    },
    settled: () => heardUntilNow(kit, signals),
    hashed,
    recordings,
    factors,
    call: (token, method, path, body, headers = {}) =>
      app.inject({
        method,
        url: PREFIX + path,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { payload: body as object }),
      }),
    stop: async () => {
      composed?.stop();
      await app.close();
      await signals.close();
      rmSync(recordings, { recursive: true });
    },
  };
}

/** Signals come in the order of their commits: all before this one, about nobody, have come. */
async function heardUntilNow(kit: Kit, signals: Signals): Promise<void> {
  const id = kit.ids.uuid();
  const heard = Promise.withResolvers<void>();
  const stop = signals.on('user', (signal) => {
    if (signal.id === id) heard.resolve();
  });
  await kit.transact((tx) => tx.signal({ kind: 'user', id }));
  await heard.promise;
  stop();
}

/** Cheap, and it counts: what a test can say of time is how much work was done. */
function countedHasher(hashed: { count: number }): PasswordHasher {
  const hasher = createPasswordHasher({ memoryCost: 8, timeCost: 1 });
  return {
    hash: (password) => {
      hashed.count += 1;
      return hasher.hash(password);
    },
    matches: (kept, password) => {
      hashed.count += 1;
      return hasher.matches(kept, password);
    },
  };
}

type Compiled = WeakMap<object, unknown>;
const compiled: Record<'body' | 'text' | 'answer', Compiled> = {
  body: new WeakMap(),
  text: new WeakMap(),
  answer: new WeakMap(),
};
/** Of the first service in this worker. */
let serializers: FastifyInstance['serializerCompiler'];

/** Lets a service take what an earlier one has compiled of the very same schemas. */
function shareCompiled(app: FastifyInstance): void {
  const once = <T>(kept: Compiled, schema: unknown, compile: () => T): T => {
    const key = schema as object;
    if (!kept.has(key)) kept.set(key, compile());
    return kept.get(key) as T;
  };
  const validators = app.validatorCompiler!;
  app.setValidatorCompiler((part) =>
    once(compiled[part.httpPart === 'body' ? 'body' : 'text'], part.schema, () => validators(part)),
  );
  const serializer = serializers;
  if (serializer === undefined) return;
  app.setSerializerCompiler((part) => once(compiled.answer, part.schema, () => serializer(part)));
}

/** Tokens of the demo world's people, by login. */
export type Tokens = Readonly<Record<string, string>>;

/** Applies examples/demo as its admins would, pins a host key, and gives everybody a token. */
export async function demoWorld(kit: Kit, service: TestService): Promise<Tokens> {
  const tokens: Record<string, string> = {};
  const directory = documents('1-directory.yaml');
  must(await service.call(service.bootstrap, 'POST', '/apply', { documents: directory }));
  for (const document of directory)
    if (document.kind === 'User') {
      const login = String(document.login);
      const made = await service.call(service.bootstrap, 'POST', '/tokens', {
        login,
        name: 'test',
        expires_in_seconds: 86_400,
      });
      tokens[login] = must(made).token as string;
    }
  const rest = ['2-inventory.yaml', '3-request-types.yaml', '4-policies.yaml'].flatMap(documents);
  must(await service.call(tokens.sam, 'POST', '/apply', { documents: rest }));
  const server = (
    must(await service.call(tokens.sam, 'GET', '/inventory/servers')).list as { id: string }[]
  )[0]!;
  must(
    await service.call(tokens.sam, 'PATCH', `/inventory/servers/${server.id}`, {
      host_keys: [HOST_KEY],
    }),
  );
  for (const [i, username] of ['pamadmin1', 'pamadmin2'].entries())
    must(
      await service.call(
        tokens.sam,
        'PUT',
        `/inventory/servers/${server.id}/accounts/${username}`,
        { credential: { type: 'password', password: Object.values(PASSWORDS)[i] } },
      ),
    );
  // What is made in the instant of a request does not count for it.
  kit.clock.advance(60);
  return tokens;
}

function documents(file: string): Record<string, unknown>[] {
  const text = readFileSync(new URL(`../../../../examples/demo/${file}`, import.meta.url), 'utf8');
  return parseAllDocuments(text).map((document) => withSecrets(document.toJS()));
}

function withSecrets(document: Record<string, unknown>): Record<string, unknown> {
  const accounts = document.accounts as { credential: { type: string; from_env: string } }[];
  if (accounts === undefined) return document;
  return {
    ...document,
    accounts: accounts.map((account) => ({
      ...account,
      credential: {
        type: account.credential.type,
        password: PASSWORDS[account.credential.from_env as keyof typeof PASSWORDS],
      },
    })),
  };
}

/** The body of an answer that must have succeeded. */
export function must(response: LightMyRequestResponse): Record<string, unknown> {
  if (response.statusCode >= 300) throw new Error(`${response.statusCode} ${response.body}`);
  return response.body === '' ? {} : response.json();
}

/** The request type that a method's first condition asks for. */
export function typeOf(method: AccessMethod): string {
  for (const c of method.conditionals) if (c.type === 'access_request') return c.request_type.id;
  throw new Error('the method asks for no access request');
}
