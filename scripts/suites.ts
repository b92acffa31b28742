import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { codeFiles } from './sources.ts';

export interface Suite {
  readonly heading: string;
  /** The project of vitest.config.ts that knows how its files are run. */
  readonly project: 'units' | 'service' | 'e2e';
  /** Which test files belong to it. */
  owns(file: string, text: () => string): boolean;
  /** How many of its files run at once on each processor, for some wait a lot; else as its project says. */
  readonly perProcessor?: number;
  /** It runs beside the others, not in their row, and says each test as it ends. */
  readonly beside?: true;
}

const E2E = /^e2e\/.*\.e2e\.ts$/;
/** What a file says that needs no sshd, and so none of the accounts that only one at a time may have. */
const SMALL_TARGET = /\bsshd: false\b|\bstartSmallTarget\b/;

/**
 * In the order of `npm test`: what fails fast comes first. End to end is beside the others,
 * for it mostly waits; on the sshd one file after the other.
 */
export const SUITES: readonly Suite[] = [
  {
    heading: 'units and command line',
    project: 'units',
    perProcessor: 2,
    owns: (file) => /^(packages\/(shared|gateway|cli)|scripts)\/test\/.*\.test\.ts$/.test(file),
  },
  {
    // The kit of packages/server/test names such a suite `… [pglite]` or `… [postgres]`.
    heading: 'service, on PGlite and on PostgreSQL',
    project: 'service',
    owns: (file) => /^packages\/server\/test\/.*\.test\.ts$/.test(file),
  },
  {
    heading: "end to end, on the machine's sshd",
    project: 'e2e',
    owns: (file, text) => E2E.test(file) && !SMALL_TARGET.test(text()),
    beside: true,
  },
  {
    heading: 'end to end, on a small target',
    project: 'e2e',
    perProcessor: 1,
    owns: (file, text) => E2E.test(file) && SMALL_TARGET.test(text()),
    beside: true,
  },
];

/** A suite's files under `root` that one of `filters` (parts of a path) names; all without one. */
export function filesOf(suite: Suite, root: string, filters: readonly string[]): string[] {
  const wanted = filters.map((filter) =>
    filter.startsWith('/') ? relative(root, filter) : filter,
  );
  return codeFiles(root).filter(
    (file) =>
      suite.owns(file, () => readFileSync(join(root, file), 'utf8')) &&
      (wanted.length === 0 || wanted.some((part) => file.includes(part))),
  );
}

/** What stands after `npm test --`: parts of paths, `-t NAME`, and `--options=…` for vitest. */
export function readArguments(args: readonly string[]): {
  readonly testName: string | undefined;
  readonly options: readonly string[];
  readonly filters: readonly string[];
} {
  const at = args.findIndex((arg) => arg === '-t' || arg === '--testNamePattern');
  const rest = at < 0 ? args : args.toSpliced(at, 2);
  return {
    testName: at < 0 ? undefined : args[at + 1],
    options: rest.filter((arg) => arg.startsWith('-')),
    filters: rest.filter((arg) => !arg.startsWith('-')),
  };
}
