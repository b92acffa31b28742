import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesLabels, parseLabelSelector } from '../src/label-selector.ts';
import { isLabelKey, isLabelValue, isSystemLabelKey } from '../src/labels.ts';

/** What `runInNewContext` breaks off: a test's own time limit cannot, while nothing else runs. */
const PATIENCE = { timeout: 20_000 };

/** Any UTF-16, lone surrogates too. */
const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));

const parsed = (text: string) => {
  const result = parseLabelSelector(text);
  return result.ok ? result.selector : `${result.at}: ${result.expected}`;
};
const matches = (text: string, labels: Record<string, string>) => {
  const result = parseLabelSelector(text);
  if (!result.ok) throw new Error(`${result.at}: ${result.expected}`);
  return matchesLabels(result.selector, labels);
};

describe('label selector: syntax', () => {
  test.each([
    ['', []],
    ['  ', []],
    ['env=prod', [{ op: 'in', key: 'env', values: ['prod'] }]],
    ['env==prod', [{ op: 'in', key: 'env', values: ['prod'] }]],
    ['env = prod', [{ op: 'in', key: 'env', values: ['prod'] }]],
    ['env!=prod', [{ op: 'not_in', key: 'env', values: ['prod'] }]],
    ['env=', [{ op: 'in', key: 'env', values: [''] }]],
    [
      'env=,a',
      [
        { op: 'in', key: 'env', values: [''] },
        { op: 'exists', key: 'a' },
      ],
    ],
    ['env in (prod, test)', [{ op: 'in', key: 'env', values: ['prod', 'test'] }]],
    ['env in(prod)', [{ op: 'in', key: 'env', values: ['prod'] }]],
    ['env notin (prod)', [{ op: 'not_in', key: 'env', values: ['prod'] }]],
    ['env', [{ op: 'exists', key: 'env' }]],
    ['!env', [{ op: 'not_exists', key: 'env' }]],
    ['! env', [{ op: 'not_exists', key: 'env' }]],
    ['in in (in,notin)', [{ op: 'in', key: 'in', values: ['in', 'notin'] }]],
    ['example.com/team=a_b-c.d', [{ op: 'in', key: 'example.com/team', values: ['a_b-c.d'] }]],
    ['system.os_type=linux', [{ op: 'in', key: 'system.os_type', values: ['linux'] }]],
    [
      'a=1,b!=2',
      [
        { op: 'in', key: 'a', values: ['1'] },
        { op: 'not_in', key: 'b', values: ['2'] },
      ],
    ],
  ])('%j', (text, selector) => {
    expect(parsed(text)).toEqual(selector);
  });
});

describe('label selector: refused, with the place', () => {
  test.each([
    [',', '0: a label key'],
    ['a=b,', '4: a label key'],
    ['a=b,,c', '4: a label key'],
    ['=b', '0: a label key'],
    ['!', '1: a label key'],
    ['!!a', '1: a label key'],
    ['!a=b', '2: a comma or the end'],
    ['a=b c', '4: a comma or the end'],
    ['a b', '2: one of = == != in notin, a comma or the end'],
    ['a===b', '3: a label value'],
    ['a=(b)', '2: a label value'],
    ['a in b', '5: ('],
    ['a in ()', '6: a label value'],
    ['a in (b', '7: a comma or )'],
    ['a in (b,)', '8: a label value'],
    ['a in (b c)', '8: a comma or )'],
    ['a in (b))', '8: a comma or the end'],
    ['a=-b', '2: a label value'],
    ['-a=b', '0: a label key'],
    ['a=/b', '2: a label value'],
    ['a/b/c=d', '0: a label key'],
    ['A.com/a=b', '0: a label key'],
    ['a>1', '1: a letter, a digit, or one of - _ . / = ! , ( )'],
    ['a=b;c', '3: a letter, a digit, or one of - _ . / = ! , ( )'],
    ['a=ä', '2: a letter, a digit, or one of - _ . / = ! , ( )'],
    ['a=b\n', '3: a letter, a digit, or one of - _ . / = ! , ( )'],
    ['a="b"', '2: a letter, a digit, or one of - _ . / = ! , ( )'],
  ])('%j', (text, error) => {
    expect(parsed(text)).toBe(error);
  });

  test('beyond the bounds', () => {
    expect(parsed('a'.repeat(4097))).toBe('4096: at most 4096 characters');
    expect(parsed(Array(51).fill('a').join(','))).toBe('100: at most 50 requirements');
    expect(parsed(`a in (${Array(101).fill('b').join(',')})`)).toBe('206: at most 100 values');
    expect(parsed(`${'a'.repeat(64)}=b`)).toBe('0: a label key');
    expect(parsed(`a=${'b'.repeat(64)}`)).toBe('2: a label value');
  });

  // A parser that tries every way to read these would not end while the machine lasts.
  test('what a backtracking parser never ends with is refused', () => {
    for (const text of [
      `a in (${' '.repeat(4000)}`,
      '!'.repeat(4096),
      'a.'.repeat(2048),
      ' ='.repeat(2000),
    ]) {
      const refused = runInNewContext('parse()', { parse: () => parsed(text) }, PATIENCE);
      expect(refused).toMatch(/^\d+: /);
    }
  });
});

describe('label selector: meaning, as Kubernetes', () => {
  const labels = { env: 'prod', tier: '', 'example.com/team': 'db' };
  test.each([
    ['', true],
    ['env=prod', true],
    ['env=Prod', false],
    ['env=test', false],
    ['env in (test,prod)', true],
    ['tier=', true],
    ['tier', true],
    ['!tier', false],
    ['absent', false],
    ['!absent', true],
    ['absent=', false],
    ['absent!=x', true],
    ['absent notin (x)', true],
    ['env!=prod', false],
    ['env notin (prod)', false],
    ['env=prod,example.com/team=db', true],
    ['env=prod,example.com/team=web', false],
  ])('%j: %s', (text, expected) => {
    expect(matches(text, labels)).toBe(expected);
  });

  test('a label that every object has is not a label', () => {
    expect(matches('constructor', {})).toBe(false);
    expect(matches('!toString', {})).toBe(true);
    expect(matches('constructor=a', { constructor: 'a' } as never)).toBe(true);
  });
});

describe('labels', () => {
  test.each(['a', 'A1', 'a.b_c-d', 'example.com/a', 'system.os_type', 'a'.repeat(63)])(
    'key: %s',
    (key) => {
      expect(isLabelKey(key)).toBe(true);
    },
  );

  test.each([
    '',
    '/',
    'a/',
    '/a',
    'a/b/c',
    '-a',
    'a-',
    'a b',
    'ä',
    'a\n',
    'A.com/a',
    '-a.com/a',
    'a..b/c',
    'a'.repeat(64),
    `${'a'.repeat(64)}/a`,
    `${'a.'.repeat(127)}/a`,
  ])('no key: %j', (key) => {
    expect(isLabelKey(key)).toBe(false);
  });

  test.each([
    ['', true],
    ['Prod-1.2_x', true],
    ['-a', false],
    ['a b', false],
    ['a'.repeat(63), true],
    ['a'.repeat(64), false],
  ])('value %j: %s', (value, expected) => {
    expect(isLabelValue(value)).toBe(expected);
  });

  test('system labels are told apart', () => {
    expect(isSystemLabelKey('system.os_type')).toBe(true);
    expect(isSystemLabelKey('systematic')).toBe(false);
  });
});

describe('label selector: properties', () => {
  test('random text never throws', () => {
    const likely = fc.array(
      fc.constantFrom('a', 'in', 'notin', '=', '!', '(', ')', ',', ' ', 'b/c', '=='),
    );
    fc.assert(fc.property(anyText, (text) => void parseLabelSelector(text)));
    fc.assert(fc.property(likely, (parts) => void parseLabelSelector(parts.join(''))));
  });

  test('a selector that is written down reads back', () => {
    const word = fc.stringMatching(/^[a-z]([a-z._-]{0,5}[a-z])?$/);
    const values = fc.array(word, { minLength: 1, maxLength: 5 });
    const requirement = fc.oneof(
      fc.record({ op: fc.constantFrom('in', 'not_in'), key: word, values }),
      fc.record({ op: fc.constantFrom('exists', 'not_exists'), key: word }),
    );
    const write = (r: { op: string; key: string; values?: string[] }) => {
      if (r.values) return `${r.key} ${r.op === 'in' ? 'in' : 'notin'} (${r.values.join(',')})`;
      return r.op === 'exists' ? r.key : `!${r.key}`;
    };
    fc.assert(
      fc.property(fc.array(requirement, { minLength: 1, maxLength: 10 }), (selector) => {
        expect(parsed(selector.map(write).join(','))).toEqual(selector);
      }),
    );
  });

  test('the four operators are two and their opposites', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('', 'x', 'y'));
    fc.assert(
      fc.property(labels, (l) => {
        expect(matches('a=x', l)).toBe(!matches('a!=x', l));
        expect(matches('a in (x,y)', l)).toBe(!matches('a notin (x,y)', l));
        expect(matches('a', l)).toBe(!matches('!a', l));
      }),
    );
  });
});
