import { instant, type Seconds, seconds } from '@postern/shared';
import {
  type AccessMethod,
  type Approval,
  type CompiledPolicies,
  type Conditional,
  compile,
  directory,
  type Facts,
  identify,
  NO_FACTS,
  type PolicySet,
  type References,
  type RequestTypeFacts,
  type SecurityPolicy,
  type ServerFacts,
  type UserFacts,
  validate,
} from '../../src/policy/index.ts';

/** Monday. */
export const NOW = instant(Date.parse('2026-05-04T10:00:00Z'));
export const MINUTE = 60_000;

/** In these tests a thing's id is its name, so that what is written reads well. */
export const named = (name: string) => ({ id: name, name });

export const ANA: UserFacts = {
  id: 'ana',
  status: 'ACTIVE',
  unix_name: 'ana',
  memberships: [{ group_id: 'linux-users', valid_until: null }],
};

export const SERVER: ServerFacts = {
  id: 'opa-demo-linux',
  identity_revision: 1,
  resource_group_id: 'demo',
  state: 'ACTIVE',
  via: 'gateway',
  os_type: 'linux',
  labels: { 'system.os_type': 'linux', env: 'prod' },
  admin_account_template: '{unix_name}-adm',
  accounts: [
    { id: 'account-1', username: 'pamadmin1', usable: true },
    { id: 'account-2', username: 'pamadmin2', usable: true },
  ],
};

export const MANAGER: RequestTypeFacts = {
  id: 'manager',
  name: 'Manager approval',
  published_version: 3,
  accepts: [2],
};

export const APPROVAL: Approval = {
  id: 'approval',
  request_id: 'request',
  user_id: 'ana',
  server_id: 'opa-demo-linux',
  server_identity_revision: 1,
  identity: 'pamadmin1',
  credential_type: 'vaulted_account',
  account_id: 'account-1',
  privilege: 'vaulted_account_ssh',
  admin_level: false,
  channels: ['shell', 'exec', 'sftp'],
  request_type_id: 'manager',
  request_type_version: 3,
  approved_at: instant(NOW - 10 * MINUTE),
  binding: null,
  revoked_at: null,
  ended_at: null,
  periods: { R1: seconds(1800) },
};

export const facts = (some: Partial<Facts>): Facts => ({ ...NO_FACTS, ...some });

/** Groups, servers and types that a policy in a test may name. */
export function references(some: Partial<References> = {}): References {
  const types = [
    { ...named('manager'), name: 'Manager approval', published_version: 3 },
    { ...named('director'), name: 'Director approval', published_version: 1 },
  ];
  return {
    groups: directory([named('linux-users'), named('linux-approvers')]),
    resource_groups: directory([named('demo'), named('other')]),
    servers: directory([
      { ...SERVER, name: SERVER.id },
      {
        ...SERVER,
        ...named('elsewhere'),
        resource_group_id: 'other',
        admin_account_template: null,
      },
    ]),
    request_types: directory(types.map((type) => ({ ...type, purpose: 'server_access' as const }))),
    taken_names: new Set(),
    previous: null,
    ...some,
  };
}

export const LABELLED = {
  selector_type: 'server_label',
  server_selector: { labels: { env: 'prod' } },
  account_selector_type: 'username',
  account_selector: { usernames: ['pamadmin1'] },
};

/** A valid rule as a person writes it, with some fields replaced. */
export const ruleInput = (name: string, some: object = {}) => ({
  name,
  resource_type: 'server_based_resource',
  resource_selector: { selectors: [LABELLED] },
  privileges: [{ privilege_type: 'vaulted_account_ssh' }],
  conditions: [] as object[],
  ...some,
});

export const policyInput = (some: object = {}) => ({
  name: 'Linux servers',
  active: true,
  principals: { user_groups: [{ name: 'linux-users' }] },
  rules: [ruleInput('R1')] as object[],
  ...some,
});

/** What was written, as a stored policy. A rule's id is its name. */
export function policyOf(input: unknown, world = references()): SecurityPolicy {
  const checked = validate(input, world);
  if (!checked.ok) throw new Error(`not valid: ${JSON.stringify(checked.errors)}`);
  const policy = identify(checked.policy, checked.policy.name, () => 'new');
  return { ...policy, rules: policy.rules.map((rule) => ({ ...rule, id: rule.name })) };
}

export const setOf = (
  policies: readonly SecurityPolicy[],
  request_types: readonly RequestTypeFacts[] = [MANAGER],
): PolicySet => ({ policies, request_types });

/** Policies with these rules for linux-users, compiled. */
export const compiled = (...rules: object[]): CompiledPolicies =>
  compile(setOf([policyOf(policyInput({ rules }))]));

/** `pamadmin1 by R1+R2: allowed until 10:20`, or `…: needs access_request, mfa`. */
export function line(method: AccessMethod): string {
  return `${method.identity} by ${method.rule_ids.join('+')}: ${verdict(method)}`;
}

function verdict(method: AccessMethod): string {
  if (method.allowed) {
    const until = method.expires_at;
    return until === null ? 'allowed' : `allowed until ${clock(until)}`;
  }
  const unmet = method.conditionals.filter((c) => !c.condition_is_met);
  if (unmet.length === 0) return method.resource_status;
  return `needs ${unmet.map((c) => c.type).join(', ')}`;
}

/** The time of day on the day of NOW, else date and time. */
function clock(at: number): string {
  const text = new Date(at).toISOString();
  return text.startsWith('2026-05-04') ? text.slice(11, 16) : text.slice(0, 16).concat('Z');
}

/** For comparing with the naive evaluator: fields in one order, descriptions left out. */
export function comparable(methods: readonly AccessMethod[]): unknown {
  return methods.map((method) => ({ ...method, conditionals: method.conditionals.map(bare) }));
}

function bare({ description: _, ...conditional }: Conditional): unknown {
  if (conditional.type !== 'access_request') return conditional;
  return { ...conditional, request_type: conditional.request_type.id };
}

export const minutes = (n: number): Seconds => seconds(n * 60);

/** JSON with the fields of every object sorted: equal things have equal text. */
export const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) =>
    typeof v === 'object' && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
