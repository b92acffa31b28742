import { RequestTypeDefinition } from '@postern/shared';
import { Check } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { readRequestType } from '../../src/requests/request-type.ts';
import {
  altered,
  faults,
  type Json,
  leaf,
  membership,
  need,
  references,
  server,
} from './request-types.ts';

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
            remind_after: 43_200,
          },
        ],
        on_approved: [{ kind: 'grant_access' }],
        on_denied: [{ kind: 'deny_access' }],
        accepts: [],
        chat: false,
        approver_mfa: null,
        grants_role: false,
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
