import { describe, expect, test } from 'vitest';
import { type Ban, bansFor, purity, purityFindings } from '../purity.ts';
import { HOUSE } from './house.ts';
import { Tree } from './tree.ts';

const CORE = 'packages/server/src/requests/machine.ts';

const REFUSED: readonly (readonly [Ban, string])[] = [
  ['async', 'export async function decide() {}'],
  ['async', 'export const decide = async () => 1;'],
  ['async', 'export const d = { async decide() {} };'],
  ['async', 'export const later = (p: PromiseLike<1>) => Promise.resolve(p);'],
  ['async', 'export declare function later(): Promise<1>;'],
  ['async', 'await 1; export {};'],
  ['async', 'export const f = async function* () { for await (const x of []) yield x; };'],
  ['clock', 'export const t = Date.now();'],
  ['clock', "export const t = Date['now']();"],
  ['clock', 'export const { now } = Date;'],
  ['clock', 'export const D = Date;'],
  ['clock', 'export const t = new Date();'],
  ['clock', 'export const t = new Date;'],
  ['clock', 'export const t = Date();'],
  ['clock', 'export const t = performance.now();'],
  ['clock', 'export const t = globalThis.performance.now();'],
  ['clock', 'export const t = Temporal.Now.instant();'],
  ['randomness', 'export const r = Math.random();'],
  ['randomness', "export const r = Math['random']();"],
  ['randomness', 'export const { random } = Math;'],
  ['randomness', "import { randomUUID } from 'node:crypto'; export const r = randomUUID();"],
  ['randomness', "import { randomUUID as fresh } from 'node:crypto'; export const r = fresh();"],
  ['randomness', "import crypto from 'node:crypto'; export const r = crypto.randomBytes(8);"],
  ['randomness', "import { randomInt } from 'node:crypto'; export const r = randomInt(8);"],
  ['randomness', 'export const r = crypto.getRandomValues(new Uint8Array(8));'],
  ['randomness', "import { generateKeyPairSync as g } from 'node:crypto'; export const k = g;"],
  ['world', 'export const x = fetch;'],
  ['world', 'export const x = process.env.HOME;'],
  ['world', 'export const x = globalThis.process;'],
  ['world', 'export const x = () => setTimeout(() => 1, 5);'],
  ['world', "console.log('x'); export {};"],
  ['world', "export const x = import('./service.ts');"],
];

const ALLOWED: readonly string[] = [
  'export const at = (ms: number): Date => new Date(ms);',
  "export const at = Date.parse('2026-01-01') + Date.UTC(2026, 1);",
  'export const is = (x: unknown) => x instanceof Date;',
  'export interface Facts { at: Date; promise: string }',
  'export const larger = Math.max(1, 2);',
  '// await Date.now() and Math.random()\nexport const s = "async new Date() randomUUID";',
  'export const job = { process: 1, fetch: 2 }; export const x = job.process;',
  "import { createHash } from 'node:crypto'; export const h = createHash('sha256');",
];

describe('purity of the core', () => {
  test.each(REFUSED)('%s refused: %s', (ban, text) => {
    expect(purityFindings(CORE, text).map((f) => f.rule)).toContain(`pure-${ban}`);
  });

  test.each(ALLOWED)('allowed: %s', (text) => {
    expect(purityFindings(CORE, text)).toEqual([]);
  });

  test('a finding says the line and what to do', () => {
    const [finding] = purityFindings(CORE, 'export const a = 1;\nexport const t = Date.now();\n');
    expect(finding).toMatchObject({ file: CORE, line: 2, rule: 'pure-clock' });
    expect(finding?.detail).toContain('take the instant as an argument');
  });
});

describe('purity by ring', () => {
  test.each([
    ['packages/server/src/requests/machine.ts', 4],
    ['packages/server/src/requests/services.ts', 4],
    ['packages/server/src/requests/quorum/count.ts', 4],
    ['packages/server/src/requests/service.ts', 3],
    ['packages/server/src/requests/service-raise.ts', 3],
    ['packages/server/src/requests/service/raise.ts', 3],
    ['packages/server/src/requests/store.ts', 2],
    ['packages/server/src/requests/routes.ts', 2],
    ['packages/server/src/requests/jobs.ts', 2],
    ['packages/server/src/platform/clock.ts', 0],
    ['packages/server/src/main.ts', 0],
    ['packages/server/test/requests/machine.test.ts', 0],
    ['packages/cli/src/main.ts', 0],
  ])('%s has %i bans', (file, bans) => {
    expect(bansFor(file)).toHaveLength(bans);
  });

  test('a service may wait, but takes its instant from the transaction', () => {
    const service = 'packages/server/src/requests/service.ts';
    expect(purityFindings(service, 'export const f = async (tx: T) => await tx.audit();')).toEqual(
      [],
    );
    expect(purityFindings(service, 'export const now = Date.now();')).toHaveLength(1);
  });

  test('a house in order is pure, and a clock in its core is found', () => {
    using tree = new Tree(HOUSE);
    expect(purity(tree.root)).toMatchObject({ ok: true });
    tree.write(CORE, 'export const step = () => Date.now();\n');
    expect(purity(tree.root)).toMatchObject({ ok: false });
    expect(purity(tree.root).text).toContain(`${CORE}:1  pure-clock`);
    tree.write(CORE, 'const a = Date.now();\n'.repeat(3));
    expect(purity(tree.root).text).toMatch(/^[^\n]*pure-clock[^\n]*\(and 2 more\)$/);
  });
});
