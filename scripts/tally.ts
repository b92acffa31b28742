/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why tests were skipped (what stands in `[needs …]` of their name), and how many. */
  readonly reasons: ReadonlyMap<string, number>;
  /** What failed: a file, or a file and a test's full name; and the first line of why. */
  readonly failures: readonly string[];
}

export const NOTHING: Tally = {
  passed: 0,
  failed: 0,
  skipped: 0,
  reasons: new Map(),
  failures: [],
};

/**
 * Counts a run. A file that could not be loaded, or whose setup failed, is one failure, and
 * so is a run that ended badly without naming a test: a crash must never count as nothing.
 *
 * @param report what vitest wrote, or null when it wrote nothing
 */
export function tally(report: VitestReport | null, exitCode: number): Tally {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  const reasons = new Map<string, number>();
  const failures: string[] = [];
  for (const file of report?.testResults ?? []) {
    const before = failed;
    for (const { fullName, status, failureMessages } of file.assertionResults) {
      if (status === 'failed') {
        failed += 1;
        failures.push(`${file.name} > ${fullName}: ${firstLine(failureMessages?.[0])}`);
      } else if (status === 'passed') passed += 1;
      else {
        skipped += 1;
        const reason = /\[needs ([^\]]+)\]/.exec(fullName)?.[1] ?? '';
        reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      }
    }
    if (file.status === 'failed' && failed === before) {
      failed += 1;
      failures.push(`${file.name}: ${firstLine(file.message)}`);
    }
  }
  if (failed === 0 && (exitCode !== 0 || report === null)) {
    failed = 1;
    failures.push(
      `a run that ended with ${exitCode}, and ${report ? 'named no test' : 'no report'}`,
    );
  }
  return { passed, failed, skipped, reasons, failures };
}

const firstLine = (message = ''): string => (message.split('\n', 1)[0] ?? '').slice(0, 200);

export function plus(a: Tally, b: Tally): Tally {
  const reasons = new Map(a.reasons);
  for (const [reason, count] of b.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + count);
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
    reasons,
    failures: [...a.failures, ...b.failures],
  };
}

/** The last line of `npm test`. */
export const closingLine = ({ passed, failed, skipped }: Tally): string =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;
