import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCondition } from '../../src/directory/rule-filter.ts';

const department = { key: 'department' };
const platform = { kind: 'compare', attribute: department, operator: 'eq', value: 'Platform' };

describe('the filter of a group rule', () => {
  test.each([
    ['department eq "Platform"', platform],
    ['attributes.department EQ "Platform"', platform],
    ['(department eq "Platform")', platform],
    ['userName pr', { kind: 'present', attribute: { column: 'login' } }],
    ['not (department eq "Platform")', { kind: 'not', term: platform }],
    [
      'department eq "Platform" and type eq "human" or login sw "x"',
      {
        kind: 'or',
        terms: [
          {
            kind: 'and',
            terms: [platform, { ...platform, attribute: { column: 'type' }, value: 'human' }],
          },
          { ...platform, attribute: { column: 'login' }, operator: 'sw', value: 'x' },
        ],
      },
    ],
    ['department eq "a \\"b\\" \\u00e9"', { ...platform, value: 'a "b" é' }],
    // `not` without a bracket behind it is an attribute like any other.
    ['not eq "x"', { ...platform, attribute: { key: 'not' }, value: 'x' }],
  ])('%s', (text, condition) => {
    expect(readCondition(text)).toEqual({ ok: true, condition });
  });

  test.each([
    '',
    ' ',
    'department',
    'department eq',
    'department eq Platform',
    'department eq 5',
    'department eq true',
    'department eq ""',
    'department is "x"',
    '"Platform" eq department',
    'department eq "x" and',
    'and department eq "x"',
    'department eq "x" department eq "y"',
    '(department eq "x"',
    'department eq "x")',
    'emails[type eq "work"]',
    'name.givenName eq "x"',
    'attributes.a.b pr',
    '__proto__ pr',
    'department eq "x',
    'department eq "\\ud800"',
    'department eq "\\u0000"',
    "department eq 'x'",
    `${'('.repeat(12)}department pr${')'.repeat(12)}`,
    Array.from({ length: 51 }, () => 'department pr').join(' or '),
    `department eq "${'x'.repeat(2_000)}"`,
  ])('refused: %s', (text) => {
    const read = readCondition(text);
    expect(read.ok).toBe(false);
    if (!read.ok) expect(read.why).not.toBe('');
  });

  test('whatever is written, it answers', () => {
    const word = fc.constantFrom(
      '(',
      ')',
      'not',
      'and',
      'or',
      'eq',
      'pr',
      '"x"',
      'a',
      '"',
      '\\',
      ' ',
    );
    fc.assert(fc.property(fc.array(word), (words) => void readCondition(words.join(' '))));
    fc.assert(fc.property(fc.string(), (text) => void readCondition(text)));
  });
});
