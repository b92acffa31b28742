import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, type Report, reportOf } from './report.ts';
import { codeFiles } from './sources.ts';
import { SUITES } from './suites.ts';

/** About 100 lines are one idea; beyond this there are certainly two. */
export const MAX_LINES = 400;

const CATCH_ALL = /(^|\/)(utils?|helpers?)(\/|\.[a-z]+$)/;

/** Rules on files as such: their length and their names. */
export function layout(root: string): Report {
  const files = codeFiles(root);
  const findings = files.flatMap((file) => [
    ...nameFindings(file),
    ...suiteFindings(file),
    ...lengthFindings(file, readFileSync(join(root, file), 'utf8')),
  ]);
  return reportOf(findings, `${files.length} files`);
}

export function nameFindings(file: string): Finding[] {
  if (!CATCH_ALL.test(file)) return [];
  const detail = 'name it after what it is about; a folder for everything is read by nobody';
  return [{ rule: 'no-utils-no-helpers', file, detail }];
}

/** A test file that `npm test` does not know would be green for ever. */
export function suiteFindings(file: string): Finding[] {
  if (!/\.(test|spec|e2e)\.[a-z]+$/.test(file)) return [];
  if (SUITES.some((suite) => suite.owns(file, () => ''))) return [];
  const detail = 'no suite of scripts/suites.ts runs it: packages/*/test/**.test.ts, e2e/**.e2e.ts';
  return [{ rule: 'test-in-a-suite', file, detail }];
}

export function lengthFindings(file: string, text: string): Finding[] {
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  if (lines <= MAX_LINES) return [];
  const detail = `${lines} lines, at most ${MAX_LINES}: find the second idea and give it a file`;
  return [{ rule: 'file-length', file, detail }];
}
