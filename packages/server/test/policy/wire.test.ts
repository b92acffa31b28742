import {
  instant,
  AccessMethod as MethodSchema,
  SecurityPolicy as PolicySchema,
  seconds,
} from '@postern/shared';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, test } from 'vitest';
import { compile, directory, evaluate, toWire, validate } from '../../src/policy/index.ts';
import {
  APPROVAL,
  facts,
  MANAGER,
  NOW,
  policyInput,
  references,
  ruleInput,
  SERVER,
  setOf,
} from './kit.ts';

const uuid = (n: number) => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const thing = (n: number, name: string) => ({ id: uuid(n), name });

/** The world of the kit with ids as they are. */
const WORLD = references({
  groups: directory([thing(1, 'linux-users')]),
  resource_groups: directory([thing(2, 'demo')]),
  servers: directory([{ ...SERVER, ...thing(3, SERVER.id), resource_group_id: uuid(2) }]),
  request_types: directory([
    { ...thing(4, 'Manager approval'), purpose: 'server_access', published_version: 3 },
  ]),
});

const SELECTORS = [
  { selector_type: 'individual_server', server: { name: SERVER.id } },
  {
    selector_type: 'individual_server_account',
    server: { name: SERVER.id },
    username: 'pamadmin1',
  },
  {
    selector_type: 'server_label',
    server_selector: { labels: { env: 'prod' } },
    account_selector_type: 'username',
    account_selector: { usernames: ['pamadmin2'] },
  },
  {
    selector_type: 'server_label',
    server_selector: { labels: { 'system.os_type': 'linux' } },
    account_selector_type: 'none',
  },
];
const CONDITIONS = [
  {
    condition_type: 'access_request',
    request_type: { name: 'Manager approval' },
    expires_after_seconds: 1800,
  },
  { condition_type: 'mfa', re_auth_frequency_in_seconds: 900, acr_values: 'phr' },
  { condition_type: 'gateway', traffic_forwarding: true, session_recording: true },
  {
    condition_type: 'time_window',
    zone: 'Europe/Berlin',
    days: ['mon', 'tue', 'wed'],
    from: '08:00',
    to: '18:00',
  },
  { condition_type: 'source_address', cidrs: ['10.0.0.0/8'] },
];
const PRIVILEGES = [
  { privilege_type: 'principal_account_ssh', admin_level_permissions: true, channels: ['shell'] },
  { privilege_type: 'vaulted_account_ssh' },
  { privilege_type: 'reveal_password' },
  { privilege_type: 'rotate_password' },
];
const EVERYTHING = policyInput({
  description: 'All there is',
  resource_group: { name: 'demo' },
  rules: [
    ruleInput('R1', {
      resource_selector: { selectors: SELECTORS },
      privileges: PRIVILEGES,
      conditions: CONDITIONS,
      override_checkout_duration_in_seconds: 3600,
    }),
  ],
});

function stored(input: unknown) {
  const checked = validate(input, WORLD);
  if (!checked.ok) throw new Error(JSON.stringify(checked.errors));
  const rules = checked.policy.rules.map((rule, i) => ({ ...rule, id: uuid(100 + i) }));
  return { ...checked.policy, id: uuid(99), rules };
}

test('a policy with everything in it is what the published schema says', () => {
  expect([...Value.Errors(PolicySchema, stored(EVERYTHING))]).toEqual([]);
});

test('whatever is accepted is what the published schema says: faults made at random', () => {
  const values = fc.constantFrom<unknown>(
    undefined,
    null,
    '',
    'x',
    '*',
    -1,
    0,
    59,
    1e9,
    0.5,
    true,
    [],
    ['x'],
    {},
    { name: 'x' },
    'shell',
    ['sftp'],
    'individual_server',
    '24:00',
    'UTC',
    ['10.0.0.0/8'],
    'none',
    'mfa',
  );
  let accepted = 0;
  fc.assert(
    fc.property(fc.nat(10_000), values, (n, value) => {
      const input = structuredClone(EVERYTHING);
      const places = placesIn(input);
      const place = places[n % places.length];
      if (place === undefined) return;
      if (value === undefined) Reflect.deleteProperty(place.of, place.key);
      else Reflect.set(place.of, place.key, value);
      const checked = validate(input, WORLD);
      if (!checked.ok) {
        expect(checked.errors.length).toBeGreaterThan(0);
        return;
      }
      accepted += 1;
      expect([...Value.Errors(PolicySchema, stored(input))]).toEqual([]);
    }),
    { seed: 20260504, numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

/** Every field and item, at any depth. */
function placesIn(value: object): { of: object; key: string }[] {
  return Object.entries(value).flatMap(([key, inner]) => [
    { of: value, key },
    ...(typeof inner === 'object' && inner !== null ? placesIn(inner) : []),
  ]);
}

describe('a method on the wire', () => {
  const policy = stored(EVERYTHING);
  const compiled = compile(setOf([policy], [{ ...MANAGER, id: uuid(4) }]));
  const user = {
    id: uuid(5),
    status: 'ACTIVE',
    unix_name: 'ana',
    memberships: [{ group_id: uuid(1), valid_until: instant(NOW + 3_600_000) }],
  };
  const server = {
    ...SERVER,
    id: uuid(3),
    resource_group_id: uuid(2),
    accounts: [
      { id: uuid(6), username: 'pamadmin1', usable: true },
      { id: uuid(7), username: 'pamadmin2', usable: true },
    ],
  };
  const some = facts({
    approvals: [
      {
        ...APPROVAL,
        id: uuid(8),
        request_id: uuid(9),
        user_id: uuid(5),
        server_id: uuid(3),
        account_id: uuid(6),
        request_type_id: uuid(4),
        periods: { [uuid(100)]: seconds(1800) },
      },
    ],
    mfa_instants: [{ acr: 'phr', at: instant(NOW - 60_000) }],
    client_address: '10.0.0.1',
  });
  const methods = evaluate(compiled, user, server, some, NOW);
  const wire = methods.map((method) =>
    toWire(method, (_, type) => (type === uuid(4) ? uuid(10) : null)),
  );

  test('is what the published schema says, met or not', () => {
    expect(wire).toHaveLength(3);
    for (const method of wire) expect([...Value.Errors(MethodSchema, method)]).toEqual([]);
    for (const method of evaluate(compiled, user, server, facts({}), NOW).map((m) => toWire(m)))
      expect([...Value.Errors(MethodSchema, method)]).toEqual([]);
  });

  test('allowed: instants are RFC 3339, the approval is named', () => {
    expect(wire[0]).toEqual({
      server_id: uuid(3),
      identity: 'pamadmin1',
      access_credential: { type: 'vaulted_account', account_id: uuid(6) },
      privilege: 'vaulted_account_ssh',
      channels: ['shell', 'exec', 'sftp'],
      allowed: true,
      expires_at: '2026-05-04T10:14:00.000Z',
      resource_status: 'available',
      rule_ids: [uuid(100)],
      conditionals: [
        {
          type: 'access_request',
          condition_is_met: true,
          description: 'Manager approval, then 30 min',
          request_type: { id: uuid(4), name: 'Manager approval' },
          expires_after_seconds: 1800,
          approval_id: uuid(8),
          request_id: uuid(9),
          pending_request_id: null,
          expires_at: '2026-05-04T10:20:00.000Z',
        },
        {
          type: 'mfa',
          condition_is_met: true,
          description: 'phishing-resistant MFA within 15 min',
          re_auth_frequency_in_seconds: 900,
          acr_values: 'phr',
          expires_at: '2026-05-04T10:14:00.000Z',
        },
        {
          type: 'gateway',
          condition_is_met: true,
          description: 'through the gateway, recorded',
          traffic_forwarding: true,
          session_recording: true,
          expires_at: null,
        },
        {
          type: 'time_window',
          condition_is_met: true,
          description: 'mon–wed 08:00–18:00 Europe/Berlin',
          zone: 'Europe/Berlin',
          days: ['mon', 'tue', 'wed'],
          from: '08:00',
          to: '18:00',
          expires_at: '2026-05-04T16:00:00.000Z',
        },
        {
          type: 'source_address',
          condition_is_met: true,
          description: 'from 10.0.0.0/8',
          cidrs: ['10.0.0.0/8'],
          expires_at: null,
        },
      ],
    });
  });

  test('not allowed: no end, and the pending request that would meet it', () => {
    expect(wire[1]).toMatchObject({
      identity: 'ana-adm',
      access_credential: { type: 'principal_account', admin_level_permissions: true },
      channels: ['shell'],
      allowed: false,
      expires_at: null,
    });
    expect(wire[1]?.conditionals[0]).toMatchObject({
      condition_is_met: false,
      approval_id: null,
      request_id: null,
      pending_request_id: uuid(10),
      expires_at: null,
    });
  });

  test('is nobody else’s to change: no frozen or shared part goes out', () => {
    for (const method of wire) {
      expect(Object.isFrozen(method.channels)).toBe(false);
      expect(Object.isFrozen(method.conditionals)).toBe(false);
    }
  });
});
