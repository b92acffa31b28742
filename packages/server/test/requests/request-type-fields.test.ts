import { describe, expect, test } from 'vitest';
import { type Case, faultsOf, membership, server } from './request-types.ts';

describe('fields: one fault, one error, with its pointer', () => {
  const cases: Case[] = [
    [
      'an end that need not be given',
      membership(),
      '/fields/2/required',
      false,
      '/on_approved/0/add_to_group/until invalid_value',
    ],
    [
      'a choice that is no group',
      membership(),
      '/fields/1/options/1',
      'nobody',
      '/fields/1/options/1 unknown_group',
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
    expect(faultsOf(base, pointer, value, expected)).toEqual([expected]);
  });
});
