import { instant } from '@postern/shared';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type AccessMethod,
  compile,
  evaluate,
  type Facts,
  type SecurityPolicy,
  type UserFacts,
} from '../../src/policy/index.ts';
import { MINUTE, NOW } from './kit.ts';
import { type World, worlds } from './world.ts';

/**
 * What is taken away never opens anything. A method is known by who, what and how; when it
 * is there before and after, it must not last longer after.
 */
type Opened = ReadonlyMap<string, number>;

function opened(world: World, user: UserFacts, facts = world.facts, now = NOW): Opened {
  const compiled = compile(world);
  const all = new Map<string, number>();
  for (const server of world.servers)
    for (const method of evaluate(compiled, user, server, facts, now)) {
      if (!method.allowed) continue;
      const key = JSON.stringify([
        server.id,
        method.identity,
        method.access_credential,
        channels(method),
      ]);
      all.set(key, Math.max(all.get(key) ?? 0, method.expires_at ?? Number.POSITIVE_INFINITY));
    }
  return all;
}

const channels = (method: AccessMethod) => [method.privilege, method.channels];

function expectNoMore(less: Opened, more: Opened): void {
  for (const [key, until] of less) {
    expect(more.has(key), key).toBe(true);
    expect(until, key).toBeLessThanOrEqual(more.get(key) ?? 0);
  }
}

/** Runs `check` on random worlds and somebody in them, with a number to choose by. */
function everywhere(check: (world: World, user: UserFacts, n: number) => number): void {
  let closed = 0;
  fc.assert(
    fc.property(worlds, fc.nat(1000), (world, n) => {
      for (const user of world.users) closed += check(world, user, n);
    }),
    { seed: Number(process.env.POSTERN_TEST_SEED ?? 20260504), numRuns: 150 },
  );
  // The change took something away at least sometimes: the property is not empty.
  expect(closed).toBeGreaterThan(0);
}

const without = <T>(list: readonly T[], n: number): T[] =>
  list.filter((_, i) => i !== n % Math.max(1, list.length));

/** @returns how many options the change closed. */
function compare(less: Opened, more: Opened): number {
  expectNoMore(less, more);
  return more.size - less.size;
}

test('removing a membership opens nothing', () => {
  everywhere((world, user, n) => {
    const left = { ...user, memberships: without(user.memberships, n) };
    return compare(opened(world, left), opened(world, user));
  });
});

test('an earlier end of a membership opens nothing and prolongs nothing', () => {
  everywhere((world, user, n) => {
    const memberships = user.memberships.map((m, i) =>
      i === n % user.memberships.length ? { ...m, valid_until: instant(NOW - 1) } : m,
    );
    return compare(opened(world, { ...user, memberships }), opened(world, user));
  });
});

test.each<[string, (facts: Facts, n: number) => Partial<Facts>]>([
  ['removing an approval', ({ approvals }, n) => ({ approvals: without(approvals, n) })],
  [
    'revoking an approval',
    ({ approvals }, n) => ({
      approvals: approvals.map((a, i) =>
        i === n % approvals.length ? { ...a, revoked_at: NOW } : a,
      ),
    }),
  ],
  ['removing every approval', () => ({ approvals: [] })],
  ['removing a proof', ({ mfa_instants }, n) => ({ mfa_instants: without(mfa_instants, n) })],
  [
    'using up a proof of one connection',
    ({ connection_proofs = [] }, n) => ({ connection_proofs: without(connection_proofs, n) }),
  ],
  ['not knowing the client’s address', () => ({ client_address: undefined })],
  [
    'somebody checking an account out',
    ({ checkouts }, n) => ({
      checkouts: [
        ...checkouts,
        { account_id: `pam${1 + (n % 2)}@s${1 + (n % 4)}`, user_id: 'carl' },
      ],
    }),
  ],
])('%s opens nothing', (_, change) => {
  everywhere((world, user, n) => {
    const less = { ...world.facts, ...change(world.facts, n) };
    return compare(opened(world, user, less), opened(world, user));
  });
});

test.each<[string, (policies: readonly SecurityPolicy[], n: number) => SecurityPolicy[]]>([
  ['removing a policy', (policies, n) => without(policies, n)],
  ['switching policies off', (policies) => policies.map((p) => ({ ...p, active: false }))],
  ['removing a rule', (policies, n) => policies.map((p) => ({ ...p, rules: without(p.rules, n) }))],
  [
    'adding a condition that is not met',
    (policies, n) =>
      policies.map((p) => ({
        ...p,
        rules: p.rules.map((rule, i) => (i === n % p.rules.length ? withUnmet(rule) : rule)),
      })),
  ],
])('%s opens nothing', (_, change) => {
  everywhere((world, user, n) => {
    const less = { ...world, policies: change(world.policies, n) };
    return compare(opened(less, user), opened(world, user));
  });
});

/** With a block nobody is in, in place of the block that may be there. */
function withUnmet(rule: SecurityPolicy['rules'][number]): SecurityPolicy['rules'][number] {
  const others = rule.conditions.filter((c) => c.condition_type !== 'source_address');
  return {
    ...rule,
    conditions: [...others, { condition_type: 'source_address', cidrs: ['203.0.113.1/32'] }],
  };
}

test('what is allowed until an instant is allowed until then and no longer, all else unchanged', () => {
  everywhere((world, user) => {
    const open = opened(world, user);
    let ended = 0;
    for (const [key, until] of open) {
      if (until === Number.POSITIVE_INFINITY || until > NOW + 600 * MINUTE) continue;
      const before = opened(world, user, world.facts, instant(until - 1));
      const after = opened(world, user, world.facts, instant(until));
      expect(before.has(key), key).toBe(true);
      // Another option of the same kind may be open then; this one has ended.
      if (!after.has(key)) ended += 1;
    }
    return ended;
  });
});
