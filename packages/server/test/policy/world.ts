import { instant, seconds } from '@postern/shared';
import fc from 'fast-check';
import type {
  AccessMethod,
  Approval,
  Condition,
  ConnectionProof,
  Facts,
  Privilege,
  RequestTypeFacts,
  Rule,
  SecurityPolicy,
  Selector,
  ServerFacts,
  UserFacts,
} from '../../src/policy/index.ts';
import { CHANNELS, WEEKDAYS } from '../../src/policy/model.ts';
import { MINUTE, NOW } from './kit.ts';
import { naiveEvaluate } from './naive.ts';

/** Small random worlds in which names collide often, so that rules meet, merge and clash. */
export interface World {
  readonly policies: readonly SecurityPolicy[];
  readonly request_types: readonly RequestTypeFacts[];
  readonly users: readonly UserFacts[];
  readonly servers: readonly ServerFacts[];
  readonly facts: Facts;
}

const GROUPS = ['g1', 'g2', 'g3'];
const SERVERS = ['s1', 's2', 's3', 's4'];
const USERS = ['ana', 'ben'];
const USERNAMES = ['ana', 'ben', 'ana-adm', 'pam1', 'pam2'];
const TYPES = ['manager', 'director'];
const RESOURCE_GROUPS = ['rg1', 'rg2'];
const LABELS = { env: ['prod', 'dev'], os: ['linux', 'bsd'], tier: ['gold', 'silver'] };
const RULES = Array.from({ length: 12 }, (_, i) => `rule-${String.fromCharCode(97 + i)}`);

const named = (options: readonly string[]) =>
  fc.constantFrom(...options).map((id) => ({ id, name: id }));
const some = <T>(options: readonly T[], minLength = 1) => fc.subarray([...options], { minLength });
const instants = fc
  .integer({ min: -90, max: 90 })
  .map((minutes) => instant(NOW + minutes * MINUTE));
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null, freq: 3 });

const labelValues = {
  env: fc.constantFrom(...LABELS.env),
  os: fc.constantFrom(...LABELS.os),
  tier: fc.constantFrom(...LABELS.tier),
};
const plain = (record: object) => ({ ...record }) as Record<string, string>;

const labels = fc.record(labelValues, { requiredKeys: ['env', 'os'] }).map(plain);

const someLabels = some(Object.keys(labelValues) as (keyof typeof labelValues)[])
  .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, labelValues[key]]))))
  .map(plain);

const selector: fc.Arbitrary<Selector> = fc.oneof(
  fc.record({ selector_type: fc.constant('individual_server' as const), server: named(SERVERS) }),
  fc.record({
    selector_type: fc.constant('individual_server_account' as const),
    server: named(SERVERS),
    username: fc.constantFrom(...USERNAMES),
  }),
  fc.record({
    selector_type: fc.constant('server_label' as const),
    server_selector: fc.record({ labels: someLabels }),
    account_selector_type: fc.constant('none' as const),
  }),
  fc.record({
    selector_type: fc.constant('server_label' as const),
    server_selector: fc.record({ labels: someLabels }),
    account_selector_type: fc.constant('username' as const),
    account_selector: fc.record({ usernames: some(USERNAMES, 2) }),
  }),
);

const channels = fc.oneof(
  { weight: 3, arbitrary: fc.constant(CHANNELS.slice(0, 3)) },
  { weight: 1, arbitrary: some(CHANNELS) },
);

const privileges: fc.Arbitrary<Privilege[]> = fc
  .tuple(
    fc.record({
      privilege_type: fc.constant('principal_account_ssh' as const),
      admin_level_permissions: fc.boolean(),
      channels,
    }),
    fc.record({ privilege_type: fc.constant('vaulted_account_ssh' as const), channels }),
    fc.constant({ privilege_type: 'reveal_password' as const }),
  )
  .chain((all) => some<Privilege>(all));

const accessRequest = fc.record({
  condition_type: fc.constant('access_request' as const),
  request_type: named(TYPES),
  expires_after_seconds: fc.constantFrom(600, 1800, 3600).map(seconds),
});

const otherConditions: fc.Arbitrary<Condition>[] = [
  fc.record({
    condition_type: fc.constant('mfa' as const),
    re_auth_frequency_in_seconds: fc.constantFrom(0, 600, 3600).map(seconds),
    acr_values: fc.constantFrom('any' as const, 'phr' as const),
  }),
  fc.constant({ condition_type: 'gateway', traffic_forwarding: true, session_recording: true }),
  fc.record({
    condition_type: fc.constant('time_window' as const),
    zone: fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York'),
    days: some(WEEKDAYS),
    from: fc.constantFrom('00:00', '06:00', '22:00'),
    to: fc.constantFrom('12:00', '02:30', '24:00'),
  }),
  fc.record({
    condition_type: fc.constant('source_address' as const),
    cidrs: some(['10.0.0.0/8', '10.1.0.0/16', '192.0.2.1/32', '0.0.0.0/0']),
  }),
];

const conditions: fc.Arbitrary<Condition[]> = fc
  .tuple(maybe(accessRequest), ...otherConditions.map((condition) => maybe(condition)))
  .chain((all) =>
    fc.tuple(fc.constant(all), fc.integer({ min: 0, max: 31 }), fc.constantFrom(0, 30, 30, 31)),
  )
  .map(([all, some, most]) => {
    const left = most === 0 ? some : most;
    return all.filter((c, i): c is Condition => c !== null && !(left & (1 << i)));
  });

const rule = (id: string): fc.Arbitrary<Rule> =>
  fc.record({
    id: fc.constant(id),
    name: fc.constant(id),
    resource_type: fc.constant('server_based_resource' as const),
    resource_selector: fc.record({
      selectors: fc.array(selector, { minLength: 1, maxLength: 3 }),
    }),
    privileges,
    conditions,
    override_checkout_duration_in_seconds: fc.constant(null),
  });

const policy = (id: string, rules: readonly string[]): fc.Arbitrary<SecurityPolicy> =>
  fc.record({
    id: fc.constant(id),
    name: fc.constant(id),
    description: fc.constant(''),
    active: fc.integer({ min: 0, max: 19 }).map((n) => n > 0),
    principals: fc.record({
      user_groups: some(GROUPS).map((ids) => ids.map((group) => ({ id: group, name: group }))),
    }),
    resource_group: fc.option(named(RESOURCE_GROUPS), { freq: 1 }),
    rules: fc.tuple(...rules.map(rule)),
  });

/** Rule ids are dealt out in a random order: policies do not hold neighbours. */
const policies = fc
  .shuffledSubarray(RULES, { minLength: 6 })
  .chain((ids) =>
    fc.tuple(
      ...[0, 1, 2, 3]
        .map((i) => policy(`policy-${i}`, ids.slice(i * 3, i * 3 + 3)))
        .slice(0, Math.ceil(ids.length / 3)),
    ),
  );

const requestTypes = fc.tuple(
  ...TYPES.map((id) =>
    fc.record({
      id: fc.constant(id),
      name: fc.constant(id),
      published_version: maybe(fc.constantFrom(2, 3, 3, 3)),
      accepts: some([1, 2], 0),
    }),
  ),
);

const user = (id: string): fc.Arbitrary<UserFacts> =>
  fc.record({
    id: fc.constant(id),
    status: fc.integer({ min: 0, max: 19 }).map((n) => (n > 0 ? 'ACTIVE' : 'DISABLED')),
    unix_name: maybe(fc.constantFrom(id, id, `${id}x`, 'Not A Name')),
    memberships: fc.array(
      fc.record({ group_id: fc.constantFrom(...GROUPS), valid_until: maybe(instants) }),
      { minLength: 1, maxLength: 4 },
    ),
  });

const server = (id: string): fc.Arbitrary<ServerFacts> =>
  fc.record({
    id: fc.constant(id),
    identity_revision: fc.constantFrom(1, 1, 2),
    resource_group_id: fc.constantFrom('rg1', ...RESOURCE_GROUPS),
    state: fc.integer({ min: 0, max: 19 }).map((n) => (n > 0 ? 'ACTIVE' : 'INACTIVE')),
    via: fc.constantFrom('gateway' as const, 'gateway' as const, 'direct' as const),
    os_type: fc.constant('linux'),
    labels,
    admin_account_template: maybe(fc.constantFrom('{unix_name}-adm', 'root', '{unix_name}')),
    accounts: some(USERNAMES.slice(1), 2).chain((names) =>
      fc.tuple(
        ...names.map((username) =>
          fc.record({
            id: fc.constant(`${username}@${id}`),
            username: fc.constant(username),
            usable: fc.integer({ min: 0, max: 4 }).map((n) => n > 0),
          }),
        ),
      ),
    ),
  });

const approval = (i: number): fc.Arbitrary<Approval> =>
  fc
    .record({
      user_id: fc.constantFrom('ana', 'ana', 'ben'),
      server_id: fc.constantFrom('s1', 's1', 's2', 's2', ...SERVERS),
      server_identity_revision: fc.constantFrom(1, 1, 1, 2),
      identity: fc.constantFrom('pam1', 'pam1', 'pam1', 'ana', ...USERNAMES),
      principal: fc.integer({ min: 0, max: 2 }).map((n) => n === 0),
      admin_level: fc.integer({ min: 0, max: 3 }).map((n) => n === 0),
      channels: fc.constantFrom([...CHANNELS], [...CHANNELS], CHANNELS.slice(0, 3)),
      request_type_id: fc.constantFrom('manager', 'manager', 'director'),
      request_type_version: fc.constantFrom(1, 2, 3, 3),
      binding: fc.integer({ min: 0, max: 7 }).map((n) => (n === 7 ? 'a job' : null)),
      approved_at: fc.integer({ min: -5, max: 40 }).map((ago) => instant(NOW - ago * MINUTE)),
      revoked_at: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, instants),
      ended_at: fc.oneof({ weight: 9, arbitrary: fc.constant(null) }, instants),
      periods: fc.dictionary(
        fc.constantFrom(...RULES, 'a rule that is gone'),
        fc.constantFrom(600, 1800, 5400).map(seconds),
        { minKeys: 1, maxKeys: 6 },
      ),
    })
    .map(({ principal, admin_level, ...a }) => ({
      ...a,
      id: `approval-${i}`,
      request_id: `request-${i}`,
      credential_type: principal ? 'principal_account' : 'vaulted_account',
      account_id: principal ? null : `${a.identity}@${a.server_id}`,
      privilege: principal ? 'principal_account_ssh' : 'vaulted_account_ssh',
      admin_level: principal && admin_level,
    }));

const facts: fc.Arbitrary<Facts> = fc.record({
  approvals: fc
    .integer({ min: 0, max: 12 })
    .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => approval(i)))),
  mfa_instants: fc.array(
    fc.record({ acr: fc.constantFrom('any' as const, 'phr' as const), at: instants }),
    { maxLength: 3 },
  ),
  checkouts: fc.array(
    fc.record({
      account_id: fc
        .tuple(fc.constantFrom(...USERNAMES), fc.constantFrom(...SERVERS))
        .map(([username, id]) => `${username}@${id}`),
      user_id: fc.constantFrom(...USERS),
    }),
    { maxLength: 3 },
  ),
  binding: fc.constantFrom(null, null, null, null, 'a job', 'another job'),
  client_address: fc.constantFrom(undefined, '10.1.2.3', '10.2.0.1', '192.0.2.1', 'nonsense'),
});

/** Approvals that fit an option of the world, and ways in which one nearly fits. */
const NEARLY: readonly (Partial<Approval> | ((a: Approval) => Partial<Approval>))[] = [
  {},
  {},
  {},
  { user_id: 'carl' },
  { server_identity_revision: 7 },
  { identity: 'root' },
  (a) => ({ account_id: a.account_id === null ? 'account' : null }),
  (a) => ({ admin_level: !a.admin_level }),
  { privilege: 'reveal_password' },
  { channels: ['shell'] },
  { request_type_version: 1 },
  { request_type_version: 9 },
  { approved_at: instant(NOW + 1) },
  { revoked_at: instant(NOW - MINUTE) },
  { ended_at: instant(NOW - MINUTE) },
  { periods: {} },
  { periods: { 'a rule that is gone': seconds(1200) } },
];

/** Proofs that fit a connection of the world, and ways in which one nearly fits. */
const NEARLY_PROOF: readonly Partial<ConnectionProof>[] = [
  {},
  {},
  {},
  { user_id: 'carl' },
  { server_id: 's9' },
  { server_identity_revision: 7 },
  { identity: 'root' },
  { account_id: 'account' },
  { credential_type: 'principal_account', account_id: null },
  { admin_level: true },
  { privilege: 'reveal_password' },
  { acr: 'any' },
  { at: instant(NOW + 1) },
  { at: instant(NOW - 300_000) },
  { at: instant(NOW - 299_999) },
];

function proven(world: World, choices: readonly number[]): World {
  const connection_proofs: ConnectionProof[] = [];
  for (const user of world.users)
    for (const server of world.servers)
      for (const method of naiveEvaluate(world, user, server, world.facts, NOW)) {
        const asked = method.conditionals.find((c) => c.type === 'mfa' && !c.condition_is_met);
        const choice = choices[connection_proofs.length % choices.length] ?? 0;
        if (asked?.type !== 'mfa' || asked.re_auth_frequency_in_seconds !== 0) continue;
        const { access_credential: credential } = method;
        connection_proofs.push({
          user_id: user.id,
          server_id: server.id,
          server_identity_revision: server.identity_revision,
          identity: method.identity,
          credential_type: credential.type,
          account_id: credential.type === 'vaulted_account' ? credential.account_id : null,
          admin_level:
            credential.type === 'principal_account' && credential.admin_level_permissions,
          privilege: method.privilege,
          acr: 'phr',
          at: instant(NOW - (choice % 4) * MINUTE),
          ...NEARLY_PROOF[choice % NEARLY_PROOF.length],
          id: `proof-${connection_proofs.length}`,
        });
      }
  return { ...world, facts: { ...world.facts, connection_proofs } };
}

function fitted(world: World, choices: readonly number[]): World {
  const approvals: Approval[] = [...world.facts.approvals];
  for (const user of world.users)
    for (const server of world.servers)
      for (const method of naiveEvaluate(world, user, server, world.facts, NOW)) {
        const unmet = method.conditionals.find((c) => c.type === 'access_request');
        const choice = choices[approvals.length % choices.length] ?? 0;
        if (unmet?.type !== 'access_request') continue;
        const made = fitting(method, user.id, server, unmet.request_type.id, choice);
        const change = NEARLY[choice % NEARLY.length] ?? {};
        const id = `approval-${approvals.length}`;
        approvals.push({ ...made, ...(typeof change === 'function' ? change(made) : change), id });
      }
  return { ...world, facts: { ...world.facts, approvals } };
}

function fitting(
  method: AccessMethod,
  user_id: string,
  server: ServerFacts,
  request_type_id: string,
  choice: number,
): Approval {
  const credential = method.access_credential;
  const period = seconds([600, 1200, 3600][choice % 3] ?? 600);
  return {
    id: '',
    request_id: 'request',
    user_id,
    server_id: server.id,
    server_identity_revision: server.identity_revision,
    identity: method.identity,
    credential_type: credential.type,
    account_id: credential.type === 'vaulted_account' ? credential.account_id : null,
    privilege: method.privilege,
    admin_level: credential.type === 'principal_account' && credential.admin_level_permissions,
    channels: choice % 2 ? [...method.channels] : [...CHANNELS],
    request_type_id,
    request_type_version: choice % 5 ? 3 : 2,
    approved_at: instant(NOW - (choice % 11) * MINUTE),
    binding: null,
    revoked_at: null,
    ended_at: null,
    periods: Object.fromEntries(method.rule_ids.map((id) => [id, period])),
  };
}

const bareWorlds: fc.Arbitrary<World> = fc.record({
  policies,
  request_types: requestTypes,
  users: fc.tuple(...USERS.map(user)),
  servers: fc.tuple(...SERVERS.map(server)),
  facts,
});

/** Without fast-check's bias to small values: empty worlds have tests of their own. */
export const worlds: fc.Arbitrary<World> = fc.noBias(
  fc
    .tuple(bareWorlds, fc.array(fc.nat(10_000), { minLength: 31, maxLength: 31 }))
    .map(([world, choices]) => proven(fitted(world, choices), choices)),
);
