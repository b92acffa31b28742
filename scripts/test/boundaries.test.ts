import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { boundaries, unread } from '../boundaries.ts';
import { HOUSE } from './house.ts';
import { Tree } from './tree.ts';

const CONFIG = resolve(import.meta.dirname, '../../.dependency-cruiser.mjs');
const S = 'packages/server/src';

/** What is planted: the rule that must refuse it, the file, and the statement in it. */
type Plant = readonly [rule: string, file: string, statement: string];

const PLANTS: readonly Plant[] = [
  ['no-cycle', `${S}/policy/chicken.ts`, "import './egg.ts';"],
  ['resolves', `${S}/policy/lost.ts`, "import './nowhere.ts';"],
  ['resolves', `${S}/policy/deep.ts`, "import '@postern/shared/src/units.ts';"],
  ['package-by-name', `${S}/platform/path.ts`, "import '../../../shared/src/units.ts';"],
  ['no-test-in-source', `${S}/platform/tested.ts`, "import 'vitest';"],
  ['no-test-in-source', `${S}/platform/kit.ts`, "import '../../test/requests/machine.test.ts';"],
  ['shared-stands-alone', 'packages/shared/src/files.ts', "import 'node:fs';"],
  ['shared-stands-alone', 'packages/shared/src/more.ts', "import 'pino';"],
  ['clients-never-import-the-server', 'packages/cli/src/inside.ts', "import '@postern/server';"],
  [
    'clients-never-import-the-server',
    'packages/gateway/src/inside.ts',
    "import type {} from '@postern/server';",
  ],
  ['clients-never-import-each-other', 'packages/cli/src/gate.ts', "import '@postern/gateway';"],
  ['clients-never-import-each-other', 'packages/gateway/src/tool.ts', "import '@postern/cli';"],
  ['server-never-imports-clients', `${S}/platform/child.ts`, "import '@postern/gateway';"],
  ['server-never-imports-clients', `${S}/platform/tool.ts`, "import '@postern/cli';"],
  ['e2e-is-a-black-box', 'e2e/peek.ts', "import '@postern/server';"],
  ['e2e-is-a-black-box', 'e2e/reach.ts', "import '../packages/cli/src/index.ts';"],
  ['cli-ssh2-in-its-folder', 'packages/cli/src/eager.ts', "import 'ssh2';"],
  ['cli-ssh2-in-its-folder', 'packages/cli/src/lazy.ts', "await import('ssh2');"],
  ['cli-prompts-in-their-folder', 'packages/cli/src/ask.ts', "import '@inquirer/prompts';"],
  ['cli-loads-them-lazily', 'packages/cli/src/start.ts', "import './ssh/client.ts';"],
  ['cli-loads-them-lazily', 'packages/cli/src/first.ts', "import './prompt/ask.ts';"],
  ['platform-knows-no-feature', `${S}/platform/knows.ts`, "import '../policy/index.ts';"],
  ['platform-knows-no-feature', `${S}/platform/up.ts`, "import '../app.ts';"],
  ['features-know-no-composition', `${S}/policy/up.ts`, "import type {} from '../app.ts';"],
  ['feature-by-its-door', `${S}/requests/service-window.ts`, "import '../policy/evaluate.ts';"],
  ['feature-by-its-door', `${S}/deps.ts`, "import './requests/service.ts';"],
  ['core-knows-no-outer-ring', `${S}/requests/may.ts`, "import './store.ts';"],
  ['core-knows-no-outer-ring', `${S}/requests/may-not.ts`, "import type {} from './service.ts';"],
  ['core-touches-no-world', `${S}/policy/sql.ts`, "import type { Kysely } from 'kysely';"],
  ['core-touches-no-world', `${S}/policy/http.ts`, "import 'fastify';"],
  ['core-touches-no-world', `${S}/policy/file.ts`, "import 'node:fs';"],
  ['core-touches-no-world', `${S}/policy/promises.ts`, "import 'fs/promises';"],
  ['core-touches-no-world', `${S}/policy/net.ts`, "import 'node:net';"],
  ['core-touches-no-world', `${S}/policy/web.ts`, "import 'node:http';"],
  ['core-touches-no-world', `${S}/policy/spawn.ts`, "import 'node:child_process';"],
  ['core-touches-no-world', `${S}/policy/boss.ts`, "import 'pg-boss';"],
  ['core-touches-no-world', `${S}/policy/builtin.ts`, "process.getBuiltinModule('node:fs');"],
  ['core-touches-no-world', `${S}/policy/required.ts`, "require('node:fs');"],
  ['core-takes-no-handle', `${S}/policy/tx.ts`, "import type { Tx } from '../platform/tx.ts';"],
  ['core-takes-no-handle', `${S}/policy/db.ts`, "import '../platform/db.ts';"],
  ['core-takes-no-handle', `${S}/policy/queue.ts`, "import '../platform/jobs.ts';"],
  [
    'core-asks-no-other-feature',
    `${S}/requests/asks.ts`,
    "import { permits } from '../policy/index.ts'; permits(1);",
  ],
  [
    'service-has-only-its-transaction',
    `${S}/requests/service-db.ts`,
    "import '../platform/db.ts';",
  ],
  [
    'service-has-only-its-transaction',
    `${S}/requests/service/job.ts`,
    "import '../../platform/jobs.ts';",
  ],
  ['service-has-only-its-transaction', `${S}/requests/service-sql.ts`, "import 'kysely';"],
  ['service-has-only-its-transaction', `${S}/requests/service-http.ts`, "import 'fastify';"],
  ['service-does-no-io', `${S}/requests/service-file.ts`, "import 'node:fs/promises';"],
  ['service-does-no-io', `${S}/requests/service-net.ts`, "import 'node:net';"],
  ['service-does-no-io', `${S}/requests/service-fetch.ts`, "import 'undici';"],
  ['service-does-no-io', `${S}/requests/service-ssh.ts`, "import 'ssh2';"],
  ['service-knows-no-edge', `${S}/requests/service-back.ts`, "import './routes.ts';"],
  ['routes-go-through-a-service', `${S}/requests/routes-read.ts`, "import './store.ts';"],
  ['routes-go-through-a-service', `${S}/requests/routes-sql.ts`, "import 'kysely';"],
  ['sql-only-in-stores', `${S}/requests/jobs-sql.ts`, "import 'kysely';"],
  ['sql-only-in-stores', `${S}/config.ts`, "import 'pg';"],
  ['engine-only-in-platform', `${S}/requests/store-pg.ts`, "import '@electric-sql/pglite';"],
  ['engine-only-in-platform', `${S}/requests/store-boss.ts`, "import 'pg-boss';"],
  ['store-only-stores', `${S}/requests/store-clever.ts`, "import './service.ts';"],
];

/** The other half of the cycle: which of the two files is blamed is not the rule's promise. */
const EGG = { [`${S}/policy/egg.ts`]: "import type {} from './chicken.ts';\n" };

describe('boundaries', () => {
  let refused = '';
  let ruleNames: string[] = [];

  beforeAll(async () => {
    const config = (await import(pathToFileURL(CONFIG).href)) as {
      default: { forbidden: { name: string }[] };
    };
    ruleNames = config.default.forbidden.map((rule) => rule.name);
    using planted = new Tree(
      HOUSE,
      EGG,
      Object.fromEntries(PLANTS.map(([, file, statement]) => [file, `${statement}\nexport {};\n`])),
    );
    refused = (await boundaries(planted.root)).text;
  }, 60_000);

  test.each(PLANTS)('%s refuses %s: %s', (rule, file) => {
    expect(refused.split('\n').filter((line) => line.startsWith(`${file}  ${rule}: `))).not.toEqual(
      [],
    );
  });

  test('every rule has a violation planted', () => {
    const planted = new Set(PLANTS.map(([rule]) => rule));
    expect(ruleNames.filter((name) => !planted.has(name))).toEqual([]);
    expect(ruleNames.length).toBeGreaterThan(20);
  });
});

describe('boundaries of a house in order', { timeout: 60_000 }, () => {
  const tree = new Tree(HOUSE);
  afterAll(() => tree[Symbol.dispose]());

  test('nothing is refused', async () => {
    expect(await boundaries(tree.root)).toMatchObject({ ok: true, text: '' });
  });

  test('fails when fewer modules were read than there are source files', async () => {
    const blind = join(tree.root, 'blind.mjs');
    writeFileSync(
      blind,
      `import rules from ${JSON.stringify(pathToFileURL(CONFIG).href)};\n` +
        "export default { ...rules, options: { ...rules.options, exclude: 'server/src/policy' } };\n",
    );
    const report = await boundaries(tree.root, blind);
    expect(report.ok).toBe(false);
    expect(report.text).toContain('every-source-is-read: 2 of 21 source files were not read');
    expect(report.text).toContain(`${S}/policy/evaluate.ts`);
  });

  test('fails when nothing was read, and when there is nothing to read', () => {
    expect(unread(['packages/a/src/a.ts'], [])).toHaveLength(1);
    expect(unread([], [])).toHaveLength(1);
    expect(unread(['packages/a/src/a.ts'], ['packages/a/src/a.ts', 'fs'])).toEqual([]);
  });

  test('fails when the rules cannot be loaded', async () => {
    const report = await boundaries(tree.root, join(tree.root, 'absent.mjs'));
    expect(report).toMatchObject({ ok: false });
    expect(report.text).toContain('dependency-cruiser did not run');
  });
});
