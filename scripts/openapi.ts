import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { seconds } from '@postern/shared';
import { buildApp } from '../packages/server/src/app.ts';
import { type Composed, compose } from '../packages/server/src/deps.ts';
import { systemClock } from '../packages/server/src/platform/clock.ts';
import { createLogger } from '../packages/server/src/platform/logging.ts';
import { createMetrics } from '../packages/server/src/platform/metrics.ts';
import { createPasswordHasher } from '../packages/server/src/platform/password-hash.ts';
import { createKeyring, parseMasterKey } from '../packages/server/src/vault/index.ts';
import { VERSION } from '../packages/server/src/version.ts';

/** Where the document lies; a test holds it equal to what the routes say. */
export const OPENAPI_FILE = fileURLToPath(new URL('../docs/openapi.json', import.meta.url));

/** The OpenAPI document of the whole service, which is composed without a database. */
export async function openapiText(): Promise<string> {
  const log = createLogger('silent');
  let composed: Composed | undefined;
  const metrics = createMetrics();
  const app = await buildApp({
    version: VERSION,
    log,
    metrics,
    checks: [],
    register: async (instance) => {
      composed = await compose(instance, {
        team: 'team',
        staticTokens: false,
        origins: () => ['http://127.0.0.1'],
        oauth: { login_seconds: seconds(3600) },
        transact: () => Promise.reject(new Error('there is no database here')),
        clock: systemClock,
        push: { private_hosts: [] },
        workload: { private_hosts: [] },
        clockGuard: { assertSafe: () => undefined },
        signals: { on: () => () => undefined, close: async () => undefined },
        keyring: anyKeyring(),
        passwords: createPasswordHasher(),
        recordingDir: 'recordings',
        longestSession: seconds(3600),
        monotonic: () => performance.now(),
        messages: { mail: null, webhooks: [] },
        slack: null,
        metrics,
        log,
      });
    },
  });
  try {
    const answer = await app.inject({ method: 'GET', url: '/openapi.json' });
    return `${JSON.stringify(sorted(answer.json()), null, 2)}\n`;
  } finally {
    composed?.stop();
    await app.close();
  }
}

function anyKeyring() {
  const master = parseMasterKey(randomBytes(32).toString('base64'));
  const keyring = master.ok ? createKeyring([master.value]) : master;
  if (!keyring.ok) throw new Error(keyring.reason);
  return keyring.value;
}

/** Names in order, so that a change of the code's order is no change of the document. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, item]) => [name, sorted(item)]),
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  writeFileSync(OPENAPI_FILE, await openapiText());
