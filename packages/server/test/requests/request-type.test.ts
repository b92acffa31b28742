import { RequestTypeDefinition } from '@postern/shared';
import { Check } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import type { References } from '../../src/requests/parse-sets.ts';
import { readRequestType } from '../../src/requests/request-type.ts';

const references: References = {
  groups: new Map([
    ['linux-approvers', 'g1'],
    ['security', 'g2'],
    ['linux-admins', 'g3'],
    ['windows-admins', 'g4'],
  ]),
  users: new Map([['dana@example.com', { id: 'u1', name: 'Dana Reyes' }]]),
};

type Json = { [key: string]: unknown };

const server = (): Json => ({
  name: 'Server access approval',
  purpose: 'server_access',
  audience: 'everyone',
  fields: [
    {
      key: 'justification',
      prompt: 'Why do you need it?',
      type: 'text',
      required: true,
      max_length: 2000,
    },
  ],
  steps: [
    {
      name: 'Server manager',
      needs: {
        either: [
          { any: 1, of: ['manager'] },
          { any: 2, of: ['group:linux-approvers'] },
        ],
      },
      timeout: '24h',
      on_timeout: 'expire',
    },
  ],
  on_approved: ['grant_access'],
  on_denied: ['deny_access'],
});

const membership = (): Json => ({
  name: 'Administrators for a while',
  purpose: 'group_membership',
  audience: { groups: ['linux-approvers'] },
  fields: [
    { key: 'why', prompt: 'Why?', type: 'text' },
    {
      key: 'choice',
      prompt: 'Which?',
      type: 'choice',
      required: true,
      options: [{ value: 'linux-admins', label: 'Linux administrators' }, 'windows-admins'],
    },
    {
      key: 'until',
      prompt: 'Until when?',
      type: 'date',
      required: true,
      zone: 'Europe/Berlin',
      max_ahead: '90d',
    },
    { key: 'length', prompt: 'How long?', type: 'duration', required: true, min: '1h', max: '30d' },
  ],
  steps: [{ name: 'Owner', needs: { any: 1, of: ['group_owner', 'user:dana@example.com'] } }],
  on_approved: [{ add_to_group: { group: '$choice', until: '$until' } }],
});

/** A copy with the value at the pointer replaced (undefined: taken out). */
function altered(base: Json, pointer: string, value: unknown): Json {
  const copy = structuredClone(base);
  const path = pointer.slice(1).split('/');
  const last = path.pop() ?? '';
  let at: Json = copy;
  for (const key of path) at = at[key] as Json;
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

const faults = (input: unknown): string[] => {
  const read = readRequestType(input, references);
  return read.ok ? [] : read.errors.map((e) => `${e.pointer} ${e.code}`);
};

const need = '/steps/0/needs';
const leaf = { any: 1, of: ['manager'] };

describe('a request type that is right', () => {
  test('is read with its names resolved to ids and its durations to seconds', () => {
    expect(readRequestType(server(), references)).toEqual({
      ok: true,
      definition: {
        name: 'Server access approval',
        description: '',
        purpose: 'server_access',
        audience: 'everyone',
        fields: [
          {
            key: 'justification',
            prompt: 'Why do you need it?',
            type: 'text',
            required: true,
            max_length: 2000,
          },
        ],
        steps: [
          {
            name: 'Server manager',
            needs: {
              either: [
                { any: 1, of: [{ kind: 'manager' }] },
                { any: 2, of: [{ kind: 'group', id: 'g1', name: 'linux-approvers' }] },
              ],
            },
            timeout: 86_400,
            on_timeout: 'expire',
            escalate_after: null,
          },
        ],
        on_approved: [{ kind: 'grant_access' }],
        on_denied: [{ kind: 'deny_access' }],
        accepts: [],
      },
    });
  });

  test('may give the group by choice and the end by date', () => {
    const read = readRequestType(membership(), references);
    expect(read.ok && read.definition).toMatchObject({
      audience: { groups: [{ id: 'g1', name: 'linux-approvers' }] },
      fields: [
        { key: 'why', required: false, max_length: 2000 },
        {
          key: 'choice',
          options: [
            { value: 'linux-admins', label: 'Linux administrators' },
            { value: 'windows-admins', label: 'windows-admins' },
          ],
        },
        { key: 'until', zone: 'Europe/Berlin', max_ahead: 90 * 86_400 },
        { key: 'length', min: 3600, max: 30 * 86_400 },
      ],
      steps: [
        {
          needs: {
            any: 1,
            of: [{ kind: 'group_owner' }, { kind: 'user', id: 'u1', name: 'Dana Reyes' }],
          },
          timeout: 7 * 86_400,
          on_timeout: 'expire',
        },
      ],
      on_approved: [
        {
          kind: 'add_to_group',
          group: {
            field: 'choice',
            groups: [
              { value: 'linux-admins', id: 'g3', name: 'linux-admins' },
              { value: 'windows-admins', id: 'g4', name: 'windows-admins' },
            ],
          },
          until: { field: 'until' },
        },
      ],
      on_denied: [],
    });
  });

  test.each<[string, Json]>([
    [
      'a fixed group and a duration',
      altered(membership(), '/on_approved', [
        { add_to_group: { group: 'linux-admins', until: '$length' } },
      ]),
    ],
    [
      'an escalation the requester may ask for',
      altered(
        altered(
          altered(server(), '/steps/0/on_timeout', { escalate_to: ['group:security'] }),
          '/steps/0/escalate_after',
          '2h',
        ),
        '/accepts',
        [1, 2],
      ),
    ],
    ['a time-out that denies', altered(server(), '/steps/0/on_timeout', 'deny')],
    [
      'all of several sets',
      altered(server(), need, {
        all: [leaf, { any: 2, of: ['group:security', 'resource_owner'] }],
      }),
    ],
    ['as deep as may be', altered(server(), need, { all: [{ either: [{ all: [leaf] }] }] })],
    ['a description of several lines', altered(server(), '/description', 'First.\nSecond.')],
    ['no fields at all', altered(server(), '/fields', [])],
    ['on_denied left out', altered(server(), '/on_denied', undefined)],
  ])('may have %s', (_, input) => {
    expect(faults(input)).toEqual([]);
    expect(Check(RequestTypeDefinition, input)).toBe(true);
  });
});

describe('one fault, one error, with its pointer', () => {
  const cases: [name: string, base: Json, pointer: string, value: unknown, expected: string][] = [
    ['a field nobody knows', server(), '/approver', 'me', '/approver unknown_field'],
    [
      'a field nobody knows in a step',
      server(),
      '/steps/0/auto_approve',
      true,
      '/steps/0/auto_approve unknown_field',
    ],
    [
      'a field nobody knows in a leaf',
      server(),
      need,
      { ...leaf, x: 1 },
      `${need}/x unknown_field`,
    ],
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
    ['no steps', server(), '/steps', [], '/steps out_of_range'],
    ['steps left out', server(), '/steps', undefined, '/steps missing'],
    [
      'too many steps',
      server(),
      '/steps',
      Array(11).fill({ name: 'x', needs: leaf }),
      '/steps out_of_range',
    ],
    ['a step that is no object', server(), '/steps/0', 'manager', '/steps/0 invalid_type'],
    ['a step without name', server(), '/steps/0/name', undefined, '/steps/0/name missing'],
    ['a step without needs', server(), '/steps/0/needs', undefined, '/steps/0/needs missing'],
    ['needs that are a list', server(), need, [leaf], `${need} invalid_value`],
    ['needs that are null', server(), need, null, `${need} invalid_value`],
    ['needs that ask for nothing', server(), need, {}, `${need} invalid_value`],
    [
      'needs of two kinds',
      server(),
      need,
      { all: [leaf], either: [leaf] },
      `${need} invalid_value`,
    ],
    ['an empty all', server(), need, { all: [] }, `${need}/all out_of_range`],
    ['an empty either', server(), need, { either: [] }, `${need}/either out_of_range`],
    ['an all that is no list', server(), need, { all: leaf }, `${need}/all invalid_type`],
    ['a leaf of nobody', server(), need, { any: 1, of: [] }, `${need}/of out_of_range`],
    ['a leaf without of', server(), need, { any: 1 }, `${need}/of missing`],
    ['a leaf without any', server(), need, { of: ['manager'] }, `${need}/any missing`],
    ['any: 0', server(), need, { any: 0, of: ['manager'] }, `${need}/any out_of_range`],
    ['any: -1', server(), need, { any: -1, of: ['manager'] }, `${need}/any out_of_range`],
    ['any: 1.5', server(), need, { any: 1.5, of: ['manager'] }, `${need}/any invalid_type`],
    ['any as a text', server(), need, { any: '1', of: ['manager'] }, `${need}/any invalid_type`],
    [
      'any beyond the bound',
      server(),
      need,
      { any: 21, of: ['group:security'] },
      `${need}/any out_of_range`,
    ],
    ['two managers', server(), need, { any: 2, of: ['manager'] }, `${need}/any out_of_range`],
    [
      'three of a manager and a user',
      server(),
      need,
      { any: 3, of: ['manager', 'user:dana@example.com'] },
      `${need}/any out_of_range`,
    ],
    [
      'a set twice',
      server(),
      need,
      { any: 1, of: ['manager', 'manager'] },
      `${need}/of/1 duplicate`,
    ],
    [
      'a set in another spelling',
      server(),
      need,
      { any: 1, of: ['Manager'] },
      `${need}/of/0 invalid_value`,
    ],
    ['a set of everybody', server(), need, { any: 1, of: ['*'] }, `${need}/of/0 invalid_value`],
    [
      'a set without its kind',
      server(),
      need,
      { any: 1, of: ['security'] },
      `${need}/of/0 invalid_value`,
    ],
    [
      'a set with an empty name',
      server(),
      need,
      { any: 1, of: ['group:'] },
      `${need}/of/0 unknown_group`,
    ],
    ['a set that is no text', server(), need, { any: 1, of: [null] }, `${need}/of/0 invalid_type`],
    [
      'an unknown group',
      server(),
      need,
      { any: 1, of: ['group:gone'] },
      `${need}/of/0 unknown_group`,
    ],
    [
      'a group in another case',
      server(),
      need,
      { any: 1, of: ['group:Security'] },
      `${need}/of/0 unknown_group`,
    ],
    ['an unknown user', server(), need, { any: 1, of: ['user:gone'] }, `${need}/of/0 unknown_user`],
    [
      'a group owner for a server',
      server(),
      need,
      { any: 1, of: ['group_owner'] },
      `${need}/of/0 not_for_purpose`,
    ],
    [
      'a resource owner for a group',
      membership(),
      need,
      { any: 1, of: ['resource_owner'] },
      `${need}/of/0 not_for_purpose`,
    ],
    [
      'too deep a tree',
      server(),
      need,
      { all: [{ all: [{ all: [{ all: [leaf] }] }] }] },
      `${need}/all/0/all/0/all/0 out_of_range`,
    ],
    [
      'too many alternatives',
      server(),
      '/steps',
      Array(9).fill({ name: 'x', needs: { either: [leaf, leaf] } }),
      '/steps out_of_range',
    ],
    [
      'a time-out without unit',
      server(),
      '/steps/0/timeout',
      '24',
      '/steps/0/timeout invalid_value',
    ],
    [
      'a time-out that is a number',
      server(),
      '/steps/0/timeout',
      24,
      '/steps/0/timeout invalid_type',
    ],
    ['a time-out of zero', server(), '/steps/0/timeout', '0h', '/steps/0/timeout invalid_value'],
    ['a time-out of seconds', server(), '/steps/0/timeout', '30s', '/steps/0/timeout out_of_range'],
    ['a time-out of a year', server(), '/steps/0/timeout', '365d', '/steps/0/timeout out_of_range'],
    [
      'approving by time-out',
      server(),
      '/steps/0/on_timeout',
      'approve',
      '/steps/0/on_timeout invalid_value',
    ],
    [
      'a time-out that does more',
      server(),
      '/steps/0/on_timeout',
      { escalate_to: ['manager'], approve: true },
      '/steps/0/on_timeout/approve unknown_field',
    ],
    [
      'escalating to nobody',
      server(),
      '/steps/0/on_timeout',
      { escalate_to: [] },
      '/steps/0/on_timeout/escalate_to out_of_range',
    ],
    [
      'escalating to an unknown group',
      server(),
      '/steps/0/on_timeout',
      { escalate_to: ['group:x'] },
      '/steps/0/on_timeout/escalate_to/0 unknown_group',
    ],
    [
      'escalate_after without escalation',
      server(),
      '/steps/0/escalate_after',
      '1h',
      '/steps/0/escalate_after invalid_value',
    ],
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
      'an end that need not be given',
      membership(),
      '/fields/2/required',
      false,
      '/on_approved/0/add_to_group/until invalid_value',
    ],
    [
      'a group from a text',
      membership(),
      '/on_approved',
      [{ add_to_group: { group: '$why', until: '$until' } }],
      '/on_approved/0/add_to_group/group invalid_value',
    ],
    [
      'a choice that is no group',
      membership(),
      '/fields/1/options/1',
      'nobody',
      '/fields/1/options/1 unknown_group',
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
    ['fields that are no list', server(), '/fields', {}, '/fields invalid_type'],
    ['a field that is no object', server(), '/fields/0', 'why', '/fields/0 invalid_type'],
    ['a field without type', server(), '/fields/0/type', undefined, '/fields/0/type missing'],
    [
      'a field of another type',
      server(),
      '/fields/0/type',
      'password',
      '/fields/0/type invalid_value',
    ],
    [
      'a type named like a method',
      server(),
      '/fields/0/type',
      'constructor',
      '/fields/0/type invalid_value',
    ],
    ['a field without key', server(), '/fields/0/key', undefined, '/fields/0/key missing'],
    [
      'a field whose key is upper case',
      server(),
      '/fields/0/key',
      'Why',
      '/fields/0/key invalid_value',
    ],
    ['a field whose key is a number', server(), '/fields/0/key', 1, '/fields/0/key invalid_type'],
    [
      'a field asked twice',
      server(),
      '/fields',
      Array(2).fill({ key: 'a', prompt: 'A', type: 'text' }),
      '/fields/1/key duplicate',
    ],
    ['a field without prompt', server(), '/fields/0/prompt', undefined, '/fields/0/prompt missing'],
    [
      'required that is no boolean',
      server(),
      '/fields/0/required',
      'yes',
      '/fields/0/required invalid_type',
    ],
    [
      'a text of no length',
      server(),
      '/fields/0/max_length',
      0,
      '/fields/0/max_length out_of_range',
    ],
    [
      'a text beyond what an answer may have',
      server(),
      '/fields/0/max_length',
      4001,
      '/fields/0/max_length out_of_range',
    ],
    [
      'a text with options',
      server(),
      '/fields/0/options',
      ['a'],
      '/fields/0/options unknown_field',
    ],
    [
      'a choice without options',
      membership(),
      '/fields/1',
      { key: 'choice', prompt: 'x', type: 'choice', required: true },
      '/fields/1/options missing',
    ],
    [
      'a choice of nothing',
      membership(),
      '/fields/0',
      { key: 'a', prompt: 'x', type: 'choice', options: [] },
      '/fields/0/options out_of_range',
    ],
    [
      'an option twice',
      membership(),
      '/fields/0',
      { key: 'a', prompt: 'x', type: 'choice', options: ['a', { value: 'a' }] },
      '/fields/0/options/1 duplicate',
    ],
    [
      'an option without value',
      membership(),
      '/fields/0',
      { key: 'a', prompt: 'x', type: 'choice', options: [{ label: 'a' }] },
      '/fields/0/options/0/value missing',
    ],
    [
      'a zone nobody knows',
      membership(),
      '/fields/2/zone',
      'Europe/Atlantis',
      '/fields/2/zone invalid_value',
    ],
    [
      'a zone that is an offset',
      membership(),
      '/fields/2/zone',
      '+01:00',
      '/fields/2/zone invalid_value',
    ],
    ['a zone that is a number', membership(), '/fields/2/zone', 1, '/fields/2/zone invalid_type'],
    [
      'a date without limit in sight',
      membership(),
      '/fields/2/max_ahead',
      '9999d',
      '/fields/2/max_ahead out_of_range',
    ],
    [
      'a duration of more at least than at most',
      membership(),
      '/fields/3/min',
      '31d',
      '/fields/3/max out_of_range',
    ],
    ['a duration in words', membership(), '/fields/3/max', 'a week', '/fields/3/max invalid_value'],
  ];

  test.each(cases)('%s', (_, base, pointer, value, expected) => {
    const got = faults(altered(base, pointer, value));
    // A field at fault cannot be what an action refers to: that is the same fault seen twice.
    expect(
      got.filter((f) => !(expected.startsWith('/fields/') && f.startsWith('/on_approved'))),
    ).toEqual([expected]);
  });

  test('escalate_after must come before the time-out', () => {
    const input = altered(server(), '/steps/0/on_timeout', { escalate_to: ['group:security'] });
    expect(faults(altered(input, '/steps/0/escalate_after', '24h'))).toEqual([
      '/steps/0/escalate_after out_of_range',
    ]);
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

  test('every error says what would be right', () => {
    for (const [, base, pointer, value] of cases) {
      const read = readRequestType(altered(base, pointer, value), references);
      if (!read.ok)
        for (const error of read.errors) expect(error.detail.length).toBeGreaterThan(10);
    }
  });
});

test('the published schema accepts what the service accepts', () => {
  for (const input of [server(), membership()])
    expect(Check(RequestTypeDefinition, input)).toBe(true);
  expect(Check(RequestTypeDefinition, altered(server(), '/steps/0/on_timeout', 'approve'))).toBe(
    false,
  );
  expect(Check(RequestTypeDefinition, altered(server(), need, { any: 0, of: ['manager'] }))).toBe(
    false,
  );
});
