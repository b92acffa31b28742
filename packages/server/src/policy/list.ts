import type { Instant } from '@postern/shared';
import { principalOf } from './answer.ts';
import type { CompiledSelector } from './compile.ts';
import type { ServerFacts } from './facts.ts';
import type { UserPlan } from './plan.ts';
import {
  emptyBits,
  hasAccount,
  type PlaceSet,
  type ServersIndex,
  setBit,
  setBits,
} from './servers.ts';

/**
 * The servers on which `evaluate` would answer at least one method, in the order of the
 * index. Which methods, and whether they are allowed, is not looked at.
 */
export function listServers(user: UserPlan, index: ServersIndex, now: Instant): ServerFacts[] {
  const servers: ServerFacts[] = [];
  for (const place of listPlaces(user, index, now)) {
    const plan = index.plans[place];
    if (plan !== undefined) servers.push(plan.facts);
  }
  return servers;
}

/** {@link listServers} as places of the index, ascending: small, for who wants a page of many. */
export function listPlaces(user: UserPlan, index: ServersIndex, now: Instant): Uint32Array {
  if (user.compiled !== index.compiled) throw new Error('plans of different policy sets');
  if (!user.isActive) return new Uint32Array(0);
  const reached = emptyBits(index.plans.length);
  for (let i = 0; i < user.labelled.length; i++) {
    const ordinal = user.labelled[i] ?? -1;
    const selector = user.compiled.selectors[ordinal];
    const isLive = user.untils === null || (user.untils[i] ?? 0) > now;
    if (selector !== undefined && isLive) addLabelled(reached, user, index, selector, ordinal);
  }
  for (const [policy, until] of user.naming ?? [])
    if (until > now)
      for (const ordinal of user.compiled.policies[policy]?.naming ?? [])
        addNamed(reached, user, index, ordinal);
  return placesIn(reached);
}

function addLabelled(
  reached: Int32Array,
  user: UserPlan,
  index: ServersIndex,
  selector: CompiledSelector,
  ordinal: number,
): void {
  const { principal, vaulted } = selector;
  const matches = index.matches(ordinal);
  if (vaulted !== null) addAll(reached, matches.withAccounts);
  if (principal === null || user.identity === undefined) return;
  // Everywhere, unless the name depends on the server or is a vaulted one somewhere.
  if (!principal.admin_level && !index.usernames.has(user.identity))
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
  const { principal, vaulted } = selector;
  const isReached =
    (principal !== null && principalOf(user, server, principal.admin_level) !== undefined) ||
    (vaulted !== null && hasAccount(server, selector.usernames));
  if (isReached) setBit(reached, place);
}

function addAll(reached: Int32Array, { bits, list }: PlaceSet): void {
  if (bits === null) setBits(reached, list);
  else for (let i = 0; i < reached.length; i++) reached[i] = (reached[i] ?? 0) | (bits[i] ?? 0);
}

const placesOf = ({ bits, list }: PlaceSet): Iterable<number> => list ?? placesIn(bits);

function placesIn(bits: Int32Array): Uint32Array {
  let count = 0;
  for (let i = 0; i < bits.length; i++) count += ones(bits[i] ?? 0);
  const places = new Uint32Array(count);
  let next = 0;
  for (let i = 0; i < bits.length; i++)
    for (let left = bits[i] ?? 0; left !== 0; left &= left - 1)
      places[next++] = (i << 5) + 31 - Math.clz32(left & -left);
  return places;
}

/** How many bits of a word are set, by adding neighbours: pairs, fours, then bytes. */
function ones(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
