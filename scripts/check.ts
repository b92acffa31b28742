// `npm run check [-- NAME…]`: everything a machine can say about the source, one line each.
import { join, resolve } from 'node:path';
import { boundaries } from './boundaries.ts';
import { layout } from './layout.ts';
import { purity } from './purity.ts';
import { output, type Report } from './report.ts';

const root = resolve(import.meta.dirname, '..');

interface Check {
  readonly name: string;
  run(): Promise<Report>;
}

/** A tool of node_modules/.bin: what it prints is shown when it fails. */
function tool(name: string, command: string, args: readonly string[]): Check {
  return {
    name,
    run: async () => {
      const ran = await output(join(root, 'node_modules', '.bin', command), args, { cwd: root });
      return { ok: ran.code === 0, text: `${ran.stdout}${ran.stderr}` };
    },
  };
}

const CHECKS: readonly Check[] = [
  tool('types', 'tsc', ['-p', '.', '--pretty', 'false']),
  tool('format', 'biome', ['ci', '--colors=off', '--max-diagnostics=50', '.']),
  { name: 'boundaries', run: () => boundaries(root) },
  { name: 'purity', run: async () => purity(root) },
  { name: 'layout', run: async () => layout(root) },
  tool('dead-code', 'knip', ['--no-progress', '--no-config-hints']),
];

/** Checks started at once; the machine that runs them may have two cores. */
const AT_ONCE = 2;

interface Done extends Report {
  readonly name: string;
  readonly ms: number;
}

async function timed(check: Check): Promise<Done> {
  const started = performance.now();
  const report = await check.run().catch((error: unknown) => ({
    ok: false,
    text: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }));
  return { ...report, name: check.name, ms: performance.now() - started };
}

function line(done: Done): string {
  const seconds = `${(done.ms / 1000).toFixed(1)} s`.padStart(7);
  const status = `${done.ok ? 'ok    ' : 'FAILED'}  ${done.name.padEnd(11)}${seconds}`;
  if (done.ok) return done.note ? `${status}  ${done.note}` : status;
  return `${status}\n${done.text.trimEnd().replace(/^/gm, '    ')}`;
}

/** Runs the checks `AT_ONCE` at a time and prints each in its place as soon as it can be. */
async function runAll(checks: readonly Check[]): Promise<Done[]> {
  const results: Done[] = [];
  let next = 0;
  let printed = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < checks.length; index = next++) {
      const check = checks[index];
      if (check) results[index] = await timed(check);
      for (let done = results[printed]; done; done = results[++printed]) console.log(line(done));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !CHECKS.some((check) => check.name === name));
if (unknown.length > 0) {
  console.error(`check: there is no check called ${unknown.join(', ')}`);
  console.error(`Name some of: ${CHECKS.map((check) => check.name).join(' ')}`);
  process.exit(64);
}
const results = await runAll(CHECKS.filter((c) => wanted.length === 0 || wanted.includes(c.name)));
const failed = results.filter((done) => !done.ok).map((done) => done.name);
if (failed.length > 0) {
  console.log(`${failed.length} of ${results.length} checks failed: ${failed.join(', ')}`);
  process.exitCode = 1;
} else {
  console.log(`${results.length} checks passed`);
}
