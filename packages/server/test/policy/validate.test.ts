import { describe, expect, test } from 'vitest';
import { directory, identify, validate } from '../../src/policy/index.ts';
import { LABELLED, named, policyInput, references, ruleInput, SERVER } from './kit.ts';
import {
  APPROVAL,
  CONDITION,
  faults,
  MFA,
  PRIVILEGE,
  WINDOW,
  withCondition,
  withPrivilege,
  withRule,
} from './written.ts';

describe('refuse, by what the world is', () => {
  const admin = withPrivilege({
    privilege_type: 'principal_account_ssh',
    admin_level_permissions: true,
  });
  const serversWith = (admin_account_template: string | null, labels = SERVER.labels) =>
    references({
      servers: directory([{ ...SERVER, name: SERVER.id, admin_account_template, labels }]),
    });

  test('admin-level permissions: accepted where a selected server has a template', () => {
    expect(faults(admin)).toEqual([]);
  });

  test.each([
    ['no template', serversWith(null)],
    ['a template that is the same account for everybody', serversWith('root')],
    [
      'a template, but on a server that is not selected',
      serversWith('{unix_name}-adm', { env: 'dev' }),
    ],
    ['no server at all', references({ servers: directory([]) })],
  ])('admin-level permissions: %s', (_, world) => {
    expect(faults(admin, world)).toEqual([`${PRIVILEGE}/admin_level_permissions no_admin_account`]);
  });

  const typeWith = (some: object) =>
    references({
      request_types: directory([
        {
          id: 'manager',
          name: 'Manager approval',
          purpose: 'server_access',
          published_version: 1,
          ...some,
        },
      ]),
    });

  test('a request type for group membership opens no server', () => {
    const world = typeWith({ purpose: 'group_membership' });
    expect(faults(withCondition(APPROVAL), world)).toEqual([
      `${CONDITION}/request_type wrong_purpose`,
    ]);
  });

  test('a request type that is not published could never be met', () => {
    const world = typeWith({ published_version: null });
    expect(faults(withCondition(APPROVAL), world)).toEqual([
      `${CONDITION}/request_type not_published`,
    ]);
  });

  test('a name that several things have names none of them; the id still does', () => {
    const world = references({
      groups: directory([
        { id: 'a', name: 'linux-users' },
        { id: 'b', name: 'linux-users' },
      ]),
    });
    expect(faults(policyInput(), world)).toEqual([
      '/principals/user_groups/0/name unknown_reference',
    ]);
    expect(faults(policyInput({ principals: { user_groups: [{ id: 'a' }] } }), world)).toEqual([]);
  });

  test('the name of another policy', () => {
    expect(faults(policyInput(), references({ taken_names: new Set(['Linux servers']) }))).toEqual([
      '/name duplicate',
    ]);
  });

  test('two rules with one id', () => {
    const world = references({ previous: { rules: [named('R1')] } });
    const rules = [ruleInput('R1', { id: 'R1' }), ruleInput('R2', { id: 'R1' })];
    expect(faults(policyInput({ rules }), world)).toEqual(['/rules/1/id duplicate']);
  });
});

test('several faults are reported together, in the order they are written', () => {
  const rules = [ruleInput('R1', { conditions: [{ condition_type: 'x' }], extra: 1 }), 'rule'];
  expect(faults({ ...policyInput({ rules }), active: 1 })).toEqual([
    '/active wrong_type',
    '/rules/0/extra unknown_field',
    '/rules/0/conditions/0/condition_type unknown_value',
    '/rules/1 wrong_type',
  ]);
});

describe('accept, and write in one way', () => {
  function accepted(input: unknown, world = references()) {
    const checked = validate(input, world);
    if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
    return checked.policy;
  }

  test('ids and names of what is referred to are filled in, defaults written out', () => {
    expect(accepted(policyInput({ rules: [ruleInput('R1', { conditions: [APPROVAL] })] }))).toEqual(
      {
        name: 'Linux servers',
        description: '',
        active: true,
        principals: { user_groups: [{ id: 'linux-users', name: 'linux-users' }] },
        resource_group: null,
        rules: [
          {
            id: null,
            name: 'R1',
            resource_type: 'server_based_resource',
            resource_selector: { selectors: [LABELLED] },
            privileges: [
              { privilege_type: 'vaulted_account_ssh', channels: ['shell', 'exec', 'sftp'] },
            ],
            conditions: [
              { ...APPROVAL, request_type: { id: 'manager', name: 'Manager approval' } },
            ],
            override_checkout_duration_in_seconds: null,
          },
        ],
      },
    );
  });

  test('Okta’s name of the vaulted privilege is read as ours', () => {
    const [rule] = accepted(withPrivilege({ privilege_type: 'password_checkout_ssh' })).rules;
    expect(rule?.privileges[0]?.privilege_type).toBe('vaulted_account_ssh');
  });

  test('channels, days, blocks, usernames, labels and conditions are put in order', () => {
    const some = {
      resource_selector: {
        selectors: [
          {
            ...LABELLED,
            server_selector: { labels: { z: '1', a: '2' } },
            account_selector: { usernames: ['z', 'a'] },
          },
        ],
      },
      privileges: [
        { privilege_type: 'rotate_password' },
        { privilege_type: 'vaulted_account_ssh', channels: ['sftp', 'shell'] },
      ],
      conditions: [
        { condition_type: 'source_address', cidrs: ['192.0.2.0/24', '10.0.0.0/8'] },
        { ...WINDOW, days: ['fri', 'mon'] },
        MFA,
      ],
    };
    const [rule] = accepted(withRule(some)).rules;
    expect(JSON.stringify(rule?.resource_selector)).toContain('{"a":"2","z":"1"}');
    expect(JSON.stringify(rule?.resource_selector)).toContain('["a","z"]');
    expect(rule?.privileges.map((p) => p.privilege_type)).toEqual([
      'vaulted_account_ssh',
      'rotate_password',
    ]);
    expect(rule?.privileges[0]).toHaveProperty('channels', ['shell', 'sftp']);
    expect(rule?.conditions.map((c) => c.condition_type)).toEqual([
      'mfa',
      'time_window',
      'source_address',
    ]);
    expect(rule?.conditions[1]).toHaveProperty('days', ['mon', 'fri']);
    expect(rule?.conditions[2]).toHaveProperty('cidrs', ['10.0.0.0/8', '192.0.2.0/24']);
  });

  test('what was accepted is accepted again, unchanged', () => {
    const first = accepted(
      policyInput({ rules: [ruleInput('R1', { conditions: [WINDOW, APPROVAL] })] }),
    );
    const written = { ...first, rules: first.rules.map(({ id: _, ...rule }) => rule) };
    expect(accepted(written)).toEqual(first);
  });

  test('a replaced rule keeps its id by its name, a renamed one by its id', () => {
    const world = references({
      previous: {
        rules: [
          { id: 'id-1', name: 'R1' },
          { id: 'id-2', name: 'R2' },
        ],
      },
    });
    const rules = [ruleInput('R1'), ruleInput('new name', { id: 'id-2' }), ruleInput('R3')];
    const draft = accepted(policyInput({ rules }), world);
    expect(draft.rules.map((rule) => rule.id)).toEqual(['id-1', 'id-2', null]);
    const ids = ['id-3'];
    const policy = identify(draft, 'policy', () => ids.shift() ?? 'none left');
    expect(policy.id).toBe('policy');
    expect(policy.rules.map((rule) => rule.id)).toEqual(['id-1', 'id-2', 'id-3']);
  });
});
