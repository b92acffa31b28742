import { describe, expect, test } from 'vitest';
import { altered, type Case, faults, faultsOf, membership, need, server } from './request-types.ts';

describe('a request type: one fault, one error, with its pointer', () => {
  const cases: Case[] = [
    ['a field nobody knows', server(), '/approver', 'me', '/approver unknown_field'],
    ['a pointer with / and ~ is escaped', server(), '/a~b', 1, '/a~0b unknown_field'],
    ['no name', server(), '/name', undefined, '/name missing'],
    ['a blank name', server(), '/name', ' ', '/name out_of_range'],
    ['a long name', server(), '/name', 'x'.repeat(101), '/name out_of_range'],
    ['a name with a bidi override', server(), '/name', 'a\u202eb', '/name invalid_value'],
    ['a name that is no text', server(), '/name', 7, '/name invalid_type'],
    ['a long description', server(), '/description', 'x'.repeat(2001), '/description out_of_range'],
    [
      'a description with escapes',
      server(),
      '/description',
      '\u001b[2J',
      '/description invalid_value',
    ],
    ['a description that is no text', server(), '/description', 1, '/description invalid_type'],
    ['no purpose', server(), '/purpose', undefined, '/purpose missing'],
    ['another purpose', server(), '/purpose', 'root', '/purpose invalid_value'],
    ['no audience', server(), '/audience', undefined, '/audience missing'],
    ['another audience', server(), '/audience', 'nobody', '/audience invalid_value'],
    [
      'an audience of no group',
      server(),
      '/audience',
      { groups: [] },
      '/audience/groups out_of_range',
    ],
    [
      'an audience of an unknown group',
      server(),
      '/audience',
      { groups: ['x'] },
      '/audience/groups/0 unknown_group',
    ],
    [
      'an audience given twice',
      server(),
      '/audience',
      { groups: ['security', 'security'] },
      '/audience/groups/1 duplicate',
    ],
    [
      'an audience of numbers',
      server(),
      '/audience',
      { groups: [1] },
      '/audience/groups/0 invalid_type',
    ],
    ['an audience list', server(), '/audience', ['security'], '/audience invalid_type'],
    [
      'grant_access for a group',
      membership(),
      '/on_approved',
      ['grant_access'],
      '/on_approved/0 not_for_purpose',
    ],
    [
      'add_to_group for a server',
      server(),
      '/on_approved',
      [{ add_to_group: { group: 'linux-admins', until: '$x' } }],
      '/on_approved/0 not_for_purpose',
    ],
    [
      'deny_access for a group',
      membership(),
      '/on_denied',
      ['deny_access'],
      '/on_denied not_for_purpose',
    ],
    ['an approval that does nothing', server(), '/on_approved', [], '/on_approved out_of_range'],
    [
      'an approval that does something else',
      server(),
      '/on_approved',
      ['run_script'],
      '/on_approved/0 invalid_value',
    ],
    ['a denial that does nothing', server(), '/on_denied', [], '/on_denied out_of_range'],
    [
      'a denial that grants',
      server(),
      '/on_denied',
      ['grant_access'],
      '/on_denied/0 invalid_value',
    ],
    [
      'two grants',
      server(),
      '/on_approved',
      ['grant_access', 'grant_access'],
      '/on_approved out_of_range',
    ],
    [
      'an unknown group to add to',
      membership(),
      '/on_approved',
      [{ add_to_group: { group: 'x', until: '$until' } }],
      '/on_approved/0/add_to_group/group unknown_group',
    ],
    [
      'no end',
      membership(),
      '/on_approved',
      [{ add_to_group: { group: '$choice' } }],
      '/on_approved/0/add_to_group/until missing',
    ],
    [
      'an end that is asked of nobody',
      membership(),
      '/on_approved',
      [{ add_to_group: { group: '$choice', until: '$x' } }],
      '/on_approved/0/add_to_group/until unknown_answer',
    ],
    [
      'an end that is a text',
      membership(),
      '/on_approved',
      [{ add_to_group: { group: '$choice', until: '$why' } }],
      '/on_approved/0/add_to_group/until invalid_value',
    ],
    [
      'an end that is fixed',
      membership(),
      '/on_approved',
      [{ add_to_group: { group: '$choice', until: '2030-01-01' } }],
      '/on_approved/0/add_to_group/until invalid_value',
    ],
    [
      'a group from a text',
      membership(),
      '/on_approved',
      [{ add_to_group: { group: '$why', until: '$until' } }],
      '/on_approved/0/add_to_group/group invalid_value',
    ],
    ['an accepted version 0', server(), '/accepts', [0], '/accepts/0 out_of_range'],
    ['an accepted version twice', server(), '/accepts', [1, 1], '/accepts/1 duplicate'],
    [
      'an accepted version that is no number',
      server(),
      '/accepts',
      ['1'],
      '/accepts/0 invalid_type',
    ],
  ];

  test.each(cases)('%s', (_, base, pointer, value, expected) => {
    expect(faultsOf(base, pointer, value, expected)).toEqual([expected]);
  });

  test('two faults, two errors, told together', () => {
    const input = altered(altered(server(), '/name', ''), need, { any: 0, of: ['x'] });
    expect(faults(input)).toEqual([
      '/name out_of_range',
      `${need}/any out_of_range`,
      `${need}/of/0 invalid_value`,
    ]);
  });

  test('what is no object at all', () => {
    for (const input of [null, undefined, 'x', 1, []])
      expect(faults(input)).toEqual([' invalid_type']);
  });

  test('fields hidden in a prototype are not there', () => {
    expect(faults(Object.create(server()))).toContain('/steps missing');
  });
});
