import { type Instant, instant, seconds } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import {
  compile,
  compileServer,
  compileUser,
  evaluate,
  evaluatePlanned,
  type Facts,
  indexServers,
  listServers,
  NO_FACTS,
  type SecurityPolicy,
  type ServerFacts,
  type UserFacts,
} from '../../src/policy/index.ts';
import {
  ANA,
  APPROVAL,
  compiled,
  facts,
  line,
  MINUTE,
  NOW,
  policyInput,
  policyOf,
  ruleInput,
  SERVER,
  setOf,
} from './kit.ts';

const OPEN = compiled(ruleInput('R1'));

const lines = (
  policies = OPEN,
  user: UserFacts = ANA,
  server: ServerFacts = SERVER,
  some: Facts = NO_FACTS,
  now: Instant = NOW,
) => evaluate(policies, user, server, some, now).map(line);

/** What a single condition says of one set of facts. */
const under = (condition: object, some: Partial<Facts>, server = SERVER, now = NOW) =>
  lines(compiled(ruleInput('R1', { conditions: [condition] })), ANA, server, facts(some), now);

test('the world these tests start from is open', () => {
  expect(lines()).toEqual(['pamadmin1 by R1: allowed']);
});

describe('no method at all', () => {
  test.each([
    ['no policies', compile(setOf([]))],
    ['only an inactive policy', compile(setOf([{ ...policyOf(policyInput()), active: false }]))],
    [
      'a policy whose active is not true',
      compile(setOf([{ ...policyOf(policyInput()), active: 1 as never }])),
    ],
  ])('%s', (_, policies) => {
    expect(lines(policies)).toEqual([]);
  });

  test.each<[string, Partial<UserFacts>]>([
    ['disabled', { status: 'DISABLED' }],
    ['deleted', { status: 'DELETED' }],
    ['of a status nobody knows', { status: 'active' }],
    ['without groups', { memberships: [] }],
    ['of another group', { memberships: [{ group_id: 'linux-approvers', valid_until: null }] }],
    ['whose membership ends now', { memberships: [{ group_id: 'linux-users', valid_until: NOW }] }],
    [
      'whose membership ended',
      { memberships: [{ group_id: 'linux-users', valid_until: instant(NOW - 1) }] },
    ],
  ])('a person %s', (_, some) => {
    expect(lines(OPEN, { ...ANA, ...some })).toEqual([]);
  });

  test.each<[string, Partial<ServerFacts>]>([
    ['inactive', { state: 'INACTIVE' }],
    ['deleted', { state: 'DELETED' }],
    ['of a state nobody knows', { state: 'active' }],
    ['with another value of the label', { labels: { env: 'dev' } }],
    ['without the label', { labels: {} }],
    ['without the account', { accounts: SERVER.accounts.slice(1) }],
  ])('a server %s', (_, some) => {
    expect(lines(OPEN, ANA, { ...SERVER, ...some })).toEqual([]);
  });

  test('a label by the name of something every object has', () => {
    const selector = {
      selector_type: 'server_label',
      server_selector: { labels: { constructor: 'x' } },
      account_selector_type: 'username',
      account_selector: { usernames: ['pamadmin1'] },
    };
    const policies = compiled(ruleInput('R1', { resource_selector: { selectors: [selector] } }));
    expect(lines(policies)).toEqual([]);
  });

  test('privileges that are not for SSH', () => {
    const privileges = [
      { privilege_type: 'reveal_password' },
      { privilege_type: 'rotate_password' },
    ];
    expect(lines(compiled(ruleInput('R1', { privileges })))).toEqual([]);
  });

  test('a server of another resource group than the policy’s', () => {
    const policies = compile(setOf([policyOf(policyInput({ resource_group: { name: 'demo' } }))]));
    expect(lines(policies)).toEqual(['pamadmin1 by R1: allowed']);
    expect(lines(policies, ANA, { ...SERVER, resource_group_id: 'other' })).toEqual([]);
  });

  test('a server that is named, but moved to another resource group', () => {
    const named = {
      selector_type: 'individual_server_account',
      server: { name: SERVER.id },
      username: 'pamadmin1',
    };
    const rules = [ruleInput('R1', { resource_selector: { selectors: [named] } })];
    const policies = compile(
      setOf([policyOf(policyInput({ resource_group: { name: 'demo' }, rules }))]),
    );
    expect(lines(policies)).toEqual(['pamadmin1 by R1: allowed']);
    expect(lines(policies, ANA, { ...SERVER, resource_group_id: 'other' })).toEqual([]);
  });
});

describe('no principal account', () => {
  const own = compiled(
    ruleInput('R1', { privileges: [{ privilege_type: 'principal_account_ssh' }] }),
  );
  const admin = compiled(
    ruleInput('R1', {
      privileges: [{ privilege_type: 'principal_account_ssh', admin_level_permissions: true }],
    }),
  );

  test('with a unix name there is one', () => {
    expect(lines(own)).toEqual(['ana by R1: allowed']);
    expect(lines(admin)).toEqual(['ana-adm by R1: allowed']);
  });

  test.each([null, '', 'Ana', 'ana reyes', '-ana', '0ana', 'a'.repeat(33), 'ana\n'])(
    'the unix name %j',
    (unix_name) => {
      expect(lines(own, { ...ANA, unix_name })).toEqual([]);
      expect(lines(admin, { ...ANA, unix_name })).toEqual([]);
    },
  );

  test('the name of a vaulted account of that server, whoever may use it', () => {
    const accounts = [{ id: 'account-3', username: 'ana', usable: false }];
    expect(lines(own, ANA, { ...SERVER, accounts })).toEqual([]);
    const adm = [{ id: 'account-4', username: 'ana-adm', usable: true }];
    expect(lines(admin, ANA, { ...SERVER, accounts: adm })).toEqual([]);
    expect(lines(own, ANA, { ...SERVER, accounts: adm })).toEqual(['ana by R1: allowed']);
  });

  test.each([
    null,
    '',
    'root',
    '{unix_name}',
    '{unix_name}{unix_name}',
    '{unix_name} adm',
    'X{unix_name}',
  ])('the template %j names no account for admins', (admin_account_template) => {
    expect(lines(admin, ANA, { ...SERVER, admin_account_template })).toEqual([]);
  });

  test('a unix name that means something to a replacement is taken literally', () => {
    const server = { ...SERVER, admin_account_template: 'a-{unix_name}' };
    expect(lines(admin, { ...ANA, unix_name: 'x_' }, server)).toEqual(['a-x_ by R1: allowed']);
  });
});

describe('a condition that cannot be evaluated is not met', () => {
  const CIDR = { condition_type: 'source_address', cidrs: ['10.0.0.0/8'] };
  const REQUEST = {
    condition_type: 'access_request',
    request_type: { name: 'Manager approval' },
    expires_after_seconds: 1800,
  };

  test.each([undefined, '', 'unknown', '10.0.0.1:22', '010.0.0.1', '::1', '192.0.2.1'])(
    'the client address %j',
    (client_address) => {
      expect(under(CIDR, { client_address })).toEqual(['pamadmin1 by R1: needs source_address']);
    },
  );

  test('blocks that can no longer be read hold nobody', () => {
    const policy = policyOf(policyInput({ rules: [ruleInput('R1', { conditions: [CIDR] })] }));
    const broken = JSON.parse(JSON.stringify(policy).replace('10.0.0.0/8', '10.0.0.0/99'));
    const some = facts({ client_address: '10.0.0.1' });
    expect(lines(compile(setOf([broken])), ANA, SERVER, some)).toEqual([
      'pamadmin1 by R1: needs source_address',
    ]);
  });

  test.each([
    ['zone', 'Europe/Berlin', 'Europe/Atlantis'],
    ['day', '"mon"', '"someday"'],
    ['time', '00:00', '0:00'],
    ['end', '24:00', '25:00'],
  ])('a stored window whose %s is broken', (_, from, to) => {
    const window = {
      condition_type: 'time_window',
      zone: 'Europe/Berlin',
      days: ['mon'],
      from: '00:00',
      to: '24:00',
    };
    const policy = policyOf(policyInput({ rules: [ruleInput('R1', { conditions: [window] })] }));
    const text = JSON.stringify(policy);
    expect(lines(compile(setOf([policy])))[0]).toContain('allowed until');
    const broken: SecurityPolicy = JSON.parse(text.replace(from, to));
    expect(lines(compile(setOf([broken])))).toEqual(['pamadmin1 by R1: needs time_window']);
  });

  test('a request type that is gone, or no longer published', () => {
    const policy = policyOf(policyInput({ rules: [ruleInput('R1', { conditions: [REQUEST] })] }));
    const some = facts({ approvals: [APPROVAL] });
    const retired = { id: 'manager', name: 'x', published_version: null, accepts: [3] };
    expect(lines(compile(setOf([policy])), ANA, SERVER, some)).toEqual([
      'pamadmin1 by R1: allowed until 10:20',
    ]);
    for (const types of [[], [retired]])
      expect(lines(compile(setOf([policy], types)), ANA, SERVER, some)).toEqual([
        'pamadmin1 by R1: needs access_request',
      ]);
  });

  test('a gateway condition on a server that is reached directly', () => {
    const gateway = {
      condition_type: 'gateway',
      traffic_forwarding: true,
      session_recording: true,
    };
    expect(under(gateway, {})).toEqual(['pamadmin1 by R1: allowed']);
    expect(under(gateway, {}, { ...SERVER, via: 'direct' })).toEqual([
      'pamadmin1 by R1: needs gateway',
    ]);
  });
});

describe('a proof', () => {
  const mfa = (acr_values: string, minutes: number) => ({
    condition_type: 'mfa',
    acr_values,
    re_auth_frequency_in_seconds: minutes * 60,
  });
  const proof = (acr: 'any' | 'phr', agoMs: number) => ({
    mfa_instants: [{ acr, at: instant(NOW - agoMs) }],
  });
  const NEEDED = ['pamadmin1 by R1: needs mfa'];

  test.each<[string, object, Partial<Facts>]>([
    ['there is none', mfa('any', 15), {}],
    ['it is exactly as old as it may be', mfa('any', 15), proof('any', 15 * MINUTE)],
    ['it is from the future', mfa('any', 15), proof('any', -1)],
    ['it is not phishing-resistant', mfa('phr', 15), proof('any', 0)],
    ['one is needed for every connection', mfa('any', 0), proof('phr', 0)],
  ])('does not count: %s', (_, condition, some) => {
    expect(under(condition, some)).toEqual(NEEDED);
  });

  test.each<[string, object, Partial<Facts>]>([
    ['it is a millisecond younger', mfa('any', 15), proof('any', 15 * MINUTE - 1)],
    ['it is stronger than asked', mfa('any', 15), proof('phr', 5 * MINUTE)],
    ['it is of this instant', mfa('phr', 15), proof('phr', 0)],
  ])('counts: %s', (_, condition, some) => {
    expect(under(condition, some)[0]).toContain('allowed until');
  });

  test('the latest that is strong enough counts', () => {
    const mfa_instants = [
      { acr: 'any' as const, at: instant(NOW - MINUTE) },
      { acr: 'phr' as const, at: instant(NOW - 9 * MINUTE) },
      { acr: 'phr' as const, at: instant(NOW - 4 * MINUTE) },
    ];
    expect(under(mfa('phr', 15), { mfa_instants })).toEqual([
      'pamadmin1 by R1: allowed until 10:11',
    ]);
  });
});

describe('an account that cannot be had is not allowed, and says why', () => {
  test.each<[string, Partial<Facts>, boolean, string]>([
    ['its credential is not there', {}, false, 'unavailable'],
    [
      'somebody else uses it',
      { checkouts: [{ account_id: 'account-1', user_id: 'ben' }] },
      true,
      'checked_out_by_other_user',
    ],
    [
      'two use it, one of them the caller',
      {
        checkouts: [
          { account_id: 'account-1', user_id: 'ana' },
          { account_id: 'account-1', user_id: 'ben' },
        ],
      },
      true,
      'checked_out_by_other_user',
    ],
  ])('%s', (_, some, usable, status) => {
    const server = { ...SERVER, accounts: [{ id: 'account-1', username: 'pamadmin1', usable }] };
    const [method] = evaluate(OPEN, ANA, server, facts(some), NOW);
    expect(method).toMatchObject({ allowed: false, expires_at: null, resource_status: status });
  });

  test('the caller uses it already: still allowed', () => {
    const checkouts = [{ account_id: 'account-1', user_id: 'ana' }];
    expect(evaluate(OPEN, ANA, SERVER, facts({ checkouts }), NOW)[0]).toMatchObject({
      allowed: true,
      resource_status: 'checked_out',
    });
  });
});

describe('a stored rule that is not known in full opens nothing, and is reported', () => {
  const twoRules = JSON.stringify(
    policyOf(
      policyInput({
        rules: [
          ruleInput('R1', {
            conditions: [
              { condition_type: 'mfa', re_auth_frequency_in_seconds: 60, acr_values: 'any' },
            ],
          }),
          ruleInput('R2'),
        ],
      }),
    ),
  );
  test.each([
    ['condition', '"mfa"', '"mood"', 'unknown condition mood'],
    ['selector', '"selector_type":"server_label"', '"selector_type":"all"', 'unknown selector all'],
    ['channel', '"sftp"', '"x11"', 'unknown channel x11'],
    ['label selector', '{"env":"prod"}', '{}', 'a label selector without labels'],
    [
      'account selector',
      '"account_selector_type":"username"',
      '"account_selector_type":"any"',
      'unknown account selector any',
    ],
    [
      'shape of a condition',
      '"condition_type":"mfa"',
      '"condition_type":"access_request"',
      'the rule cannot be read',
    ],
    ['shape', '"privileges":[', '"privileged":[', 'the rule cannot be read'],
  ])('an unknown %s', (_, from, to, reason) => {
    const policies = compile(setOf([JSON.parse(twoRules.replace(from, to))]));
    expect(policies.refused).toEqual([{ policy_id: 'Linux servers', rule_id: 'R1', reason }]);
    expect(lines(policies)).toEqual(['pamadmin1 by R2: allowed']);
  });

  test('a privilege that is not known gives no method', () => {
    const policies = compile(
      setOf([JSON.parse(twoRules.replaceAll('vaulted_account_ssh', 'become_root'))]),
    );
    expect(lines(policies)).toEqual([]);
  });
});

test('plans of different policy sets are not mixed', () => {
  const user = compileUser(OPEN, ANA);
  const other = compiled(ruleInput('R1'));
  expect(() => evaluatePlanned(user, compileServer(other, SERVER), NO_FACTS, NOW)).toThrow();
  expect(() => listServers(user, indexServers(other, [SERVER]), NOW)).toThrow();
});

test('answers are shared and therefore frozen where they are', () => {
  const [a] = evaluate(OPEN, ANA, SERVER, NO_FACTS, NOW);
  for (const part of [a?.access_credential, a?.channels, a?.rule_ids, a?.conditionals])
    expect(Object.isFrozen(part)).toBe(true);
});

test('seconds are not milliseconds: an approval of 1800 s lasts 30 min', () => {
  const REQUEST = {
    condition_type: 'access_request',
    request_type: { name: 'Manager approval' },
    expires_after_seconds: 1800,
  };
  const approvals = [{ ...APPROVAL, approved_at: NOW, periods: { R1: seconds(1800) } }];
  const policies = compiled(ruleInput('R1', { conditions: [REQUEST] }));
  const at = (ms: number) => lines(policies, ANA, SERVER, facts({ approvals }), instant(NOW + ms));
  expect(at(1_799_999)).toEqual(['pamadmin1 by R1: allowed until 10:30']);
  expect(at(1_800_000)).toEqual(['pamadmin1 by R1: needs access_request']);
});
