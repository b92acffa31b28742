import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { output } from '../report.ts';
import { filesOf, readArguments, SUITES } from '../suites.ts';
import { Tree } from './tree.ts';

const root = resolve(import.meta.dirname, '../..');
const npmTest = (...args: string[]) =>
  output(process.execPath, [join(root, 'scripts/test.ts'), ...args], { cwd: root });
const lastLine = (text: string): string | undefined => text.trimEnd().split('\n').at(-1);

describe('npm test', { timeout: 120_000 }, () => {
  test('ends with one line that adds up what ran', async () => {
    const ran = await npmTest('scripts/test/layout.test.ts');
    expect(lastLine(ran.stdout)).toMatch(/^[1-9]\d* passed, 0 failed, 0 skipped$/);
    expect(ran.stdout.match(/\d+ passed, \d+ failed, \d+ skipped/g)).toHaveLength(1);
    expect(ran.stdout).toContain('── units and command line (1 file) ──');
    expect(ran.code).toBe(0);
  });

  test('fails when nothing ran', async () => {
    const ran = await npmTest('no-such-test');
    expect(lastLine(ran.stdout)).toBe('0 passed, 0 failed, 0 skipped');
    expect(ran.stdout).toContain('No test ran');
    expect(ran.code).toBe(1);
  });

  test('fails when vitest itself fails', async () => {
    const ran = await npmTest('scripts/test/layout.test.ts', '--no-such-option');
    expect(lastLine(ran.stdout)).toBe('0 passed, 1 failed, 0 skipped');
    expect(ran.code).toBe(1);
  });
});

describe('suites', () => {
  test('every test file belongs to one suite', () => {
    using tree = new Tree({
      'packages/shared/test/a.test.ts': '',
      'packages/cli/test/ssh/a.test.ts': '',
      'scripts/test/a.test.ts': '',
      'packages/server/test/requests/pure.test.ts': '',
      'packages/server/test/requests/both.test.ts': "onBoth('x', () => {})",
      'packages/server/test/kit/index.ts': 'export function onBoth() {}',
      'e2e/a.e2e.ts': '',
      'e2e/small.e2e.ts': 'openWorld({ sshd: false })',
      'e2e/kit.ts': '',
    });
    const owners = SUITES.map((suite) => filesOf(suite, tree.root, []));
    expect(owners).toEqual([
      [
        'packages/cli/test/ssh/a.test.ts',
        'packages/shared/test/a.test.ts',
        'scripts/test/a.test.ts',
      ],
      ['packages/server/test/requests/both.test.ts', 'packages/server/test/requests/pure.test.ts'],
      ['e2e/a.e2e.ts'],
      ['e2e/small.e2e.ts'],
    ]);
  });

  test('a filter is a part of a path, or an absolute path', () => {
    using tree = new Tree({ 'e2e/a.e2e.ts': '', 'e2e/b.e2e.ts': '' });
    const e2e = SUITES.find((suite) => suite.project === 'e2e');
    expect(e2e && filesOf(e2e, tree.root, ['b.e2e'])).toEqual(['e2e/b.e2e.ts']);
    expect(e2e && filesOf(e2e, tree.root, [join(tree.root, 'e2e/a.e2e.ts')])).toEqual([
      'e2e/a.e2e.ts',
    ]);
    expect(e2e && filesOf(e2e, tree.root, ['cli'])).toEqual([]);
  });

  test('the value of -t is not taken for a filter', () => {
    expect(readArguments(['cli', '-t', 'deny', '--bail=1', 'e2e'])).toEqual({
      testName: 'deny',
      options: ['--bail=1'],
      filters: ['cli', 'e2e'],
    });
    expect(readArguments([])).toEqual({ testName: undefined, options: [], filters: [] });
  });
});
