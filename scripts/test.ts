// `npm test [-- FILTER… -t NAME --vitest-option=…]`: every suite, one after the other, and
// end to end beside them. The last line is `N passed, N failed, N skipped`; the exit code is 0 when something ran and
// nothing failed.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BUNDLES, bundleAll } from './bundle.ts';
import { missing, remedy } from './needs.ts';
import { filesOf, readArguments, SUITES, type Suite } from './suites.ts';
import { closingLine, NOTHING, plus, type Tally, tally, type VitestReport } from './tally.ts';
import { watched } from './watched.ts';

const root = resolve(import.meta.dirname, '..');
const QUIET_MS = 15_000;
/** No suite may be this long without a sign; a file that hangs is ended by its own timeout before. */
const HANG_MS = 180_000;
/** End to end says each test as it ends, and one that kills a service again and again takes minutes. */
const HANG_BESIDE_MS = 600_000;
/** Set for the suites: the bundle is fresh, and a runner that they start leaves it alone. */
const BUNDLED = 'POSTERN_TEST_BUNDLED';

const { testName, options, filters } = readArguments(process.argv.slice(2));
const reports = mkdtempSync(join(tmpdir(), 'postern-tests-'));

function vitestArgs(suite: Suite, files: readonly string[], report: string): string[] {
  return [
    'run',
    `--project=${suite.project}`,
    `--reporter=${suite.beside ? 'verbose' : 'default'}`,
    '--reporter=json',
    `--outputFile.json=${report}`,
    '--silent=passed-only',
    ...(options.some((option) => option.startsWith('--maxWorkers')) ? [] : workersOf(suite)),
    // A forgotten `.only` would silence every other test of its file.
    '--allowOnly=false',
    ...(testName === undefined ? [] : [`--testNamePattern=${testName}`]),
    ...options,
    ...files,
  ];
}

const workersOf = ({ perProcessor }: Suite): string[] =>
  perProcessor === undefined
    ? []
    : ['--fileParallelism', `--maxWorkers=${Math.ceil(availableParallelism() * perProcessor)}`];

async function run(suite: Suite, index: number): Promise<Tally> {
  const files = filesOf(suite, root, filters);
  if (files.length === 0 || interrupted) return NOTHING;
  console.log(
    `\n── ${suite.heading} (${files.length} ${files.length === 1 ? 'file' : 'files'}) ──`,
  );
  const report = join(reports, `${index}.json`);
  const args = vitestArgs(suite, files, report);
  const ended = await watched(join(root, 'node_modules', '.bin', 'vitest'), args, {
    cwd: root,
    env: {
      ...process.env,
      ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}),
      [BUNDLED]: '1',
    },
    quietMs: QUIET_MS,
    hangMs: suite.beside ? HANG_BESIDE_MS : HANG_MS,
    print: (text) => process.stdout.write(text.replace(/^JSON report written to .*\n/m, '')),
  });
  return tally(read(report), ended.code);
}

/**
 * The programs in bin/ start their bundles when there are some, three times as fast: they must
 * be those of this source. Where there were none they go again with the run.
 */
async function makeBundle(): Promise<Tally> {
  try {
    await bundleAll(root);
    return NOTHING;
  } catch {
    console.log('The programs could not be bundled (see above), so their tests mean nothing.');
    return { ...NOTHING, failed: 1, failures: ['the bundles of the programs'] };
  }
}

function read(report: string): VitestReport | null {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as VitestReport;
  } catch {
    return null;
  }
}

function sayWhatWasSkipped(total: Tally): void {
  for (const [reason, count] of total.reasons) {
    if (reason === '') console.log(`${count} skipped by the tests themselves`);
    else console.log(`${count} skipped: ${reason} not found`);
  }
}

let interrupted = false;
// A signal comes once from the terminal and once from npm: neither may cut the sum off.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted = true;
  });
}
const bundles = process.env[BUNDLED] === undefined;
const made = BUNDLES.map((folder) => join(root, folder)).filter((folder) => !existsSync(folder));
let total = bundles ? await makeBundle() : NOTHING;
const lacking = missing();
if (lacking.length > 0) {
  console.log(`Not on this machine: ${lacking.join(', ')}. Tests that need them are skipped.`);
  console.log(`To run them too: ${remedy(lacking)}`);
}
/** These suites, one after the other. */
async function row(suites: readonly Suite[]): Promise<Tally> {
  let sum = NOTHING;
  for (const suite of suites) sum = plus(sum, await run(suite, SUITES.indexOf(suite)));
  return sum;
}

const beside = SUITES.filter((suite) => suite.beside).map((suite) => [suite]);
const inRow = SUITES.filter((suite) => !suite.beside);
for (const sum of await Promise.all([inRow, ...beside].map(row))) total = plus(total, sum);
rmSync(reports, { recursive: true, force: true });
if (bundles) for (const folder of made) rmSync(folder, { recursive: true, force: true });
sayWhatWasSkipped(total);
for (const failure of total.failures) console.log(`failed: ${failure.replace(`${root}/`, '')}`);
if (total.passed + total.failed === 0) console.log('No test ran, and that is a failure.');
console.log(closingLine(total));
process.exitCode = interrupted || total.failed > 0 || total.passed === 0 ? 1 : 0;
