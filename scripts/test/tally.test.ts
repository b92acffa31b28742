import { describe, expect, test } from 'vitest';
import { closingLine, NOTHING, plus, tally, type VitestReport } from '../tally.ts';

const file = (status: string, ...tests: [name: string, status: string][]) => ({
  name: 'a.test.ts',
  status,
  message: '',
  assertionResults: tests.map(([fullName, result]) => ({ fullName, status: result })),
});
const report = (...testResults: VitestReport['testResults'][number][]): VitestReport => ({
  testResults,
});

describe('tally', () => {
  test('adds up what passed, failed and was skipped', () => {
    const one = tally(
      report(file('failed', ['a', 'passed'], ['b', 'failed'], ['c', 'pending'], ['d', 'todo'])),
      1,
    );
    expect(one).toMatchObject({ passed: 1, failed: 1, skipped: 2 });
    expect(closingLine(plus(one, one))).toBe('2 passed, 2 failed, 4 skipped');
    expect(plus(NOTHING, one)).toEqual(one);
  });

  test('skipped tests are told apart by what they need', () => {
    const needs = 'shell [needs sshd, tmux] resizes';
    const one = tally(report(file('passed', [needs, 'skipped'], ['x', 'skipped'])), 0);
    expect(plus(one, one).reasons).toEqual(
      new Map([
        ['sshd, tmux', 2],
        ['', 2],
      ]),
    );
  });

  test('fail closed: a file that could not be loaded is a failure', () => {
    expect(tally(report(file('failed')), 1)).toMatchObject({ passed: 0, failed: 1 });
    expect(tally(report(file('failed', ['a', 'skipped'])), 1)).toMatchObject({ failed: 1 });
  });

  test('fail closed: a run that ended badly is a failure, whatever it reported', () => {
    expect(tally(report(file('passed', ['a', 'passed'])), 1)).toMatchObject({ failed: 1 });
    expect(tally(null, 0)).toMatchObject({ passed: 0, failed: 1 });
    expect(tally(null, 139)).toMatchObject({ passed: 0, failed: 1 });
  });

  test('what failed is named, a file that named no test too', () => {
    const one = tally(report(file('failed', ['a', 'passed'], ['b', 'failed']), file('failed')), 1);
    expect(plus(NOTHING, one).failures).toEqual(['a.test.ts > b: ', 'a.test.ts: ']);
    expect(tally(null, 139).failures).toHaveLength(1);
  });
});
