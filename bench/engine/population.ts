import { type Instant, instant, type Seconds, seconds } from '@postern/shared';
import {
  type Approval,
  type Condition,
  type Facts,
  NO_FACTS,
  type Privilege,
  type RequestTypeFacts,
  type SecurityPolicy,
  type Selector,
  type ServerFacts,
  type UserFacts,
} from '../../packages/server/src/policy/index.ts';

/** What is asked of every engine: the same people, servers, policies and pairs. */
export interface Workload {
  readonly size: Size;
  readonly users: readonly UserFacts[];
  readonly servers: readonly ServerFacts[];
  readonly policies: readonly SecurityPolicy[];
  readonly request_types: readonly RequestTypeFacts[];
  /** By user; most people have no approval and no proof. */
  readonly facts: readonly Facts[];
  readonly now: Instant;
}

export interface Size {
  readonly name: string;
  readonly users: number;
  readonly groups: number;
  readonly servers: number;
  readonly policies: number;
}

export const SIZES: readonly Size[] = [
  { name: 'small', users: 100, groups: 50, servers: 200, policies: 20 },
  { name: 'medium', users: 5_000, groups: 500, servers: 10_000, policies: 500 },
  { name: 'large', users: 50_000, groups: 5_000, servers: 100_000, policies: 5_000 },
];

/** Besides the principal account, which every person has. */
export const VAULTED = ['pamadmin1', 'pamadmin2', 'pamroot'] as const;

const LABEL_VALUES: Readonly<Record<string, number>> = {
  env: 4,
  region: 10,
  'system.os': 6,
  role: 20,
  team: 30,
  tier: 3,
};

/** A deterministic stream: xorshift32, good enough to draw a workload from. */
export class Draw {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 1;
  }

  /** A whole number from 0 to `below` - 1. */
  below(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }

  percent(chance: number): boolean {
    return this.below(100) < chance;
  }

  /** `count` different numbers below `below`, ascending. */
  some(count: number, below: number): number[] {
    const drawn = new Set<number>();
    while (drawn.size < Math.min(count, below)) drawn.add(this.below(below));
    return [...drawn].sort((a, b) => a - b);
  }
}

export function workload(size: Size, seed = 421): Workload {
  const draw = new Draw(seed);
  const now = instant(Date.parse('2026-05-04T10:00:00Z'));
  const users = Array.from({ length: size.users }, (_, i) => drawUser(draw, size, i));
  const servers = Array.from({ length: size.servers }, (_, i) => drawServer(draw, i));
  const policies = Array.from({ length: size.policies }, (_, i) => drawPolicy(draw, size, i));
  const facts = users.map((user) => drawFacts(draw, user, servers, now));
  const request_types = [
    { id: 'type-0', name: 'Server access approval', published_version: 1, accepts: [] },
  ];
  return { size, users, servers, policies, request_types, facts, now };
}

/** 1 to 20 groups each; a third of the memberships fall on the most popular tenth. */
function drawUser(draw: Draw, size: Size, i: number): UserFacts {
  const groups = new Set<number>();
  const count = Math.min(1 + draw.below(20), size.groups);
  while (groups.size < count)
    groups.add(draw.below(draw.percent(33) ? Math.ceil(size.groups / 10) : size.groups));
  const memberships = [...groups].map((g) => ({ group_id: `group-${g}`, valid_until: null }));
  return { id: `user-${i}`, status: 'ACTIVE', unix_name: `u${i}`, memberships };
}

function drawServer(draw: Draw, i: number): ServerFacts {
  const labels: Record<string, string> = {};
  for (const [key, values] of Object.entries(LABEL_VALUES)) {
    const isAbsent = (key === 'team' && draw.percent(10)) || (key === 'tier' && draw.percent(50));
    if (!isAbsent) labels[key] = `${key}-${draw.below(values)}`;
  }
  return {
    id: `server-${i}`,
    identity_revision: 1,
    resource_group_id: 'group',
    state: 'ACTIVE',
    via: 'gateway',
    os_type: 'linux',
    labels,
    admin_account_template: null,
    accounts: VAULTED.map((username) => ({ id: `${username}@${i}`, username, usable: true })),
  };
}

/** One rule each. 15 % name up to 20 servers, the others select by 1 to 4 labels. */
function drawPolicy(draw: Draw, size: Size, i: number): SecurityPolicy {
  const groups = draw.some(1 + draw.below(3), size.groups).map((g) => thing(`group-${g}`));
  const selected = draw.percent(15) ? draw.some(1 + draw.below(20), size.servers) : null;
  const accounts = draw.some(1 + draw.below(4), 4);
  const usernames = accounts.flatMap((a) => VAULTED[a - 1] ?? []);
  const isPrincipal = accounts.includes(0);
  const privileges: Privilege[] = [];
  const channels = ['shell', 'exec', 'sftp'] as const;
  if (isPrincipal)
    privileges.push({
      privilege_type: 'principal_account_ssh',
      admin_level_permissions: false,
      channels,
    });
  if (usernames.length > 0) privileges.push({ privilege_type: 'vaulted_account_ssh', channels });
  return {
    id: `policy-${i}`,
    name: `policy-${i}`,
    description: '',
    active: true,
    principals: { user_groups: groups },
    resource_group: null,
    rules: [
      {
        id: `rule-${String(i).padStart(6, '0')}`,
        name: 'rule',
        resource_type: 'server_based_resource',
        resource_selector: {
          selectors: selected
            ? selected.flatMap((s) => namedSelectors(s, isPrincipal, usernames))
            : [labelSelector(draw, usernames)],
        },
        privileges,
        conditions: drawConditions(draw),
        override_checkout_duration_in_seconds: null,
      },
    ],
  };
}

const thing = (id: string) => ({ id, name: id });

function namedSelectors(s: number, isPrincipal: boolean, usernames: readonly string[]): Selector[] {
  const server = thing(`server-${s}`);
  const accounts = usernames.map((username) => ({
    selector_type: 'individual_server_account' as const,
    server,
    username,
  }));
  return isPrincipal ? [{ selector_type: 'individual_server', server }, ...accounts] : accounts;
}

function labelSelector(draw: Draw, usernames: readonly string[]): Selector {
  const keys = Object.keys(LABEL_VALUES);
  const chance = draw.below(100);
  const count = chance < 15 ? 1 : chance < 55 ? 2 : chance < 85 ? 3 : 4;
  const labels = Object.fromEntries(
    draw.some(count, keys.length).map((k) => {
      const key = keys[k] ?? '';
      return [key, `${key}-${draw.below(LABEL_VALUES[key] ?? 1)}`];
    }),
  );
  const selector = { selector_type: 'server_label' as const, server_selector: { labels } };
  return usernames.length === 0
    ? { ...selector, account_selector_type: 'none' }
    : { ...selector, account_selector_type: 'username', account_selector: { usernames } };
}

function drawConditions(draw: Draw): Condition[] {
  const conditions: Condition[] = [];
  if (draw.percent(30))
    conditions.push({
      condition_type: 'access_request',
      request_type: { id: 'type-0', name: 'Server access approval' },
      expires_after_seconds: seconds(1800),
    });
  if (draw.percent(50))
    conditions.push({
      condition_type: 'mfa',
      re_auth_frequency_in_seconds: seconds(900),
      acr_values: 'any',
    });
  if (draw.percent(40))
    conditions.push({
      condition_type: 'gateway',
      traffic_forwarding: true,
      session_recording: true,
    });
  return conditions;
}

/** A quarter of the people have a fresh proof, a tenth an approval or two somewhere. */
function drawFacts(
  draw: Draw,
  user: UserFacts,
  servers: readonly ServerFacts[],
  now: Instant,
): Facts {
  const approvals = draw.percent(10)
    ? draw
        .some(1 + draw.below(2), servers.length)
        .map((s) => approval(user, servers[s] as ServerFacts, now))
    : [];
  const proof = { acr: 'any' as const, at: instant(now - draw.below(1800) * 1000) };
  return {
    approvals: approvals.length > 0 ? approvals : NO_FACTS.approvals,
    mfa_instants: draw.percent(25) ? [proof] : NO_FACTS.mfa_instants,
    checkouts: NO_FACTS.checkouts,
    client_address: '10.0.0.1',
  };
}

const approval = (user: UserFacts, server: ServerFacts, now: Instant): Approval => ({
  id: `approval of ${user.id} on ${server.id}`,
  request_id: 'request',
  user_id: user.id,
  server_id: server.id,
  server_identity_revision: 1,
  identity: VAULTED[0],
  credential_type: 'vaulted_account',
  account_id: server.accounts[0]?.id ?? '',
  privilege: 'vaulted_account_ssh',
  admin_level: false,
  channels: ['shell', 'exec', 'sftp'],
  request_type_id: 'type-0',
  request_type_version: 1,
  approved_at: instant(now - 600_000),
  binding: null,
  revoked_at: null,
  ended_at: null,
  periods: { rule: 1800 as Seconds },
});

/** User, server, user, server, …: half at random, half so that a policy of the user matches. */
export function pairsOf(world: Workload, count: number, seed: number): Uint32Array {
  const draw = new Draw(seed);
  const ofGroup = new Map<string, SecurityPolicy[]>();
  for (const policy of world.policies)
    for (const { id } of policy.principals.user_groups)
      ofGroup.set(id, [...(ofGroup.get(id) ?? []), policy]);
  const pairs = new Uint32Array(count * 2);
  for (let i = 0; i < count; i++) {
    const user = draw.below(world.users.length);
    let server = draw.below(world.servers.length);
    const policies = world.users[user]?.memberships.flatMap((m) => ofGroup.get(m.group_id) ?? []);
    const policy = policies?.[draw.below(Math.max(1, policies.length))];
    if (i % 2 === 1 && policy) server = matching(draw, world, policy) ?? server;
    pairs.set([user, server], i * 2);
  }
  return pairs;
}

/** A server that the policy selects, if one is found within a few hundred draws. */
function matching(draw: Draw, world: Workload, policy: SecurityPolicy): number | undefined {
  const selectors = policy.rules[0]?.resource_selector.selectors ?? [];
  const selector = selectors[draw.below(selectors.length)];
  if (selector?.selector_type !== 'server_label') return Number(selector?.server.id.slice(7));
  const labels = Object.entries(selector.server_selector.labels);
  for (let tries = 0; tries < 1000; tries++) {
    const place = draw.below(world.servers.length);
    const server = world.servers[place];
    if (labels.every(([key, value]) => server?.labels[key] === value)) return place;
  }
  return undefined;
}
