import type { Instant } from '@postern/shared';
import { principalOf } from './answer.ts';
import type { CompiledSelector } from './compile.ts';
import type { ServerFacts } from './facts.ts';
import type { ServerPlan, UserPlan } from './plan.ts';
import { hasAccount, type PlaceSet, type ServersIndex, setBit } from './servers.ts';

/**
 * The servers on which `evaluate` would answer at least one method, in the order of the
 * index. Which methods, and whether they are allowed, is not looked at.
 */
export function listServers(user: UserPlan, index: ServersIndex, now: Instant): ServerFacts[] {
  if (user.compiled !== index.compiled) throw new Error('plans of different policy sets');
  if (!user.isActive) return [];
  const reached = new Int32Array((index.plans.length + 31) >>> 5);
  for (const [i, ordinal] of user.labelled.entries()) {
    const selector = user.compiled.selectors[ordinal];
    if (selector !== undefined && (user.untils[i] ?? 0) > now)
      addLabelled(reached, user, index, selector, ordinal);
  }
  for (const [policy, until] of user.naming ?? [])
    if (until > now) for (const ordinal of policy.naming) addNamed(reached, user, index, ordinal);
  return facts(reached, index.plans);
}

function addLabelled(
  reached: Int32Array,
  user: UserPlan,
  index: ServersIndex,
  selector: CompiledSelector,
  ordinal: number,
): void {
  const { principal, vaulted } = selector.rule;
  const matches = index.matches(ordinal);
  if (vaulted !== null) addAll(reached, matches.withAccounts);
  if (principal === null || user.identity === undefined) return;
  // Everywhere, unless the name depends on the server or is a vaulted one somewhere.
  if (!principal.admin_level && !index.byUsername.has(user.identity))
    addAll(reached, matches.servers);
  else
    for (const place of placesOf(matches.servers)) {
      const server = index.plans[place];
      if (server && principalOf(user, server, principal.admin_level)) setBit(reached, place);
    }
}

function addNamed(reached: Int32Array, user: UserPlan, index: ServersIndex, ordinal: number): void {
  const selector = user.compiled.selectors[ordinal];
  const place = index.places.get(selector?.server_id ?? '');
  const server = place === undefined ? undefined : index.plans[place];
  if (selector === undefined || place === undefined || !server?.isActive) return;
  const group = selector.resource_group_id;
  if (group !== null && group !== server.facts.resource_group_id) return;
  const { principal, vaulted } = selector.rule;
  const isReached =
    (principal !== null &&
      selector.selectsServers &&
      principalOf(user, server, principal.admin_level) !== undefined) ||
    (vaulted !== null && hasAccount(server, selector.usernames));
  if (isReached) setBit(reached, place);
}

function addAll(reached: Int32Array, { bits, list }: PlaceSet): void {
  if (bits === null) for (let i = 0; i < list.length; i++) setBit(reached, list[i] ?? 0);
  else for (let i = 0; i < reached.length; i++) reached[i] = (reached[i] ?? 0) | (bits[i] ?? 0);
}

const placesOf = ({ bits, list }: PlaceSet): Iterable<number> => list ?? placesIn(bits);

function* placesIn(bits: Int32Array): Iterable<number> {
  for (const [i, word] of bits.entries())
    for (let left = word; left !== 0; left &= left - 1)
      yield (i << 5) + 31 - Math.clz32(left & -left);
}

function facts(reached: Int32Array, plans: readonly ServerPlan[]): ServerFacts[] {
  const servers: ServerFacts[] = [];
  for (let i = 0; i < reached.length; i++)
    for (let left = reached[i] ?? 0; left !== 0; left &= left - 1) {
      const plan = plans[(i << 5) + 31 - Math.clz32(left & -left)];
      if (plan !== undefined) servers.push(plan.facts);
    }
  return servers;
}
