import type { CompiledPolicies, CompiledSelector } from './compile.ts';
import type { ServerFacts } from './facts.ts';
import { restMatches } from './labels.ts';
import { compileServer, type ServerPlan } from './plan.ts';

/** All servers against one compiled policy set, for listing. */
export interface ServersIndex {
  readonly compiled: CompiledPolicies;
  /** In the order they were given; a place is an index into it. */
  readonly plans: readonly ServerPlan[];
  readonly byId: ReadonlyMap<string, ServerPlan>;
  /** Id → place. */
  readonly places: ReadonlyMap<string, number>;
  /** Vaulted username → places of the servers that have it. */
  readonly byUsername: ReadonlyMap<string, readonly number[]>;
  /** Which servers a label selector matches; found once, when first asked. */
  matches(ordinal: number): SelectorMatches;
}

export interface SelectorMatches {
  /** Active servers with the labels. */
  readonly servers: PlaceSet;
  /** Those of them that have at least one of the selector's accounts. */
  readonly withAccounts: PlaceSet;
}

/** A set of places: a bit for each server when there are many in it, else a list. */
export type PlaceSet =
  | { readonly bits: Int32Array; readonly list: null }
  | { readonly bits: null; readonly list: Int32Array };

export function indexServers(
  compiled: CompiledPolicies,
  servers: readonly ServerFacts[],
): ServersIndex {
  const plans = servers.map((facts) => compileServer(compiled, facts));
  const byUsername = new Map<string, number[]>();
  for (const [place, plan] of plans.entries())
    for (const username of plan.usernames) {
      const places = byUsername.get(username);
      if (places === undefined) byUsername.set(username, [place]);
      else places.push(place);
    }
  const found: (SelectorMatches | undefined)[] = [];
  return {
    compiled,
    plans,
    byId: new Map(plans.map((plan) => [plan.facts.id, plan])),
    places: new Map(plans.map((plan, place) => [plan.facts.id, place])),
    byUsername,
    matches(ordinal) {
      const known = found[ordinal];
      if (known !== undefined) return known;
      const selector = compiled.selectors[ordinal];
      const made = selector ? findMatches(plans, selector) : NO_MATCHES;
      found[ordinal] = made;
      return made;
    },
  };
}

const NOWHERE: PlaceSet = { bits: null, list: new Int32Array(0) };
const NO_MATCHES: SelectorMatches = { servers: NOWHERE, withAccounts: NOWHERE };

function findMatches(plans: readonly ServerPlan[], selector: CompiledSelector): SelectorMatches {
  const { test, usernames } = selector;
  if (test === null) return NO_MATCHES;
  const servers: number[] = [];
  const withAccounts: number[] = [];
  for (const [place, plan] of plans.entries()) {
    if ((plan.first & test.mask) !== test.value || !plan.isActive) continue;
    if (!restMatches(test, plan)) continue;
    servers.push(place);
    if (hasAccount(plan, usernames)) withAccounts.push(place);
  }
  const all = placeSet(servers, plans.length);
  const isAll = withAccounts.length === servers.length;
  return { servers: all, withAccounts: isAll ? all : placeSet(withAccounts, plans.length) };
}

/** Whether the server has one of the accounts whose usernames have these codes. */
export const hasAccount = (plan: ServerPlan, codes: readonly number[]): boolean =>
  plan.accounts.some((account) => codes.includes(account.username_code));

function placeSet(places: readonly number[], total: number): PlaceSet {
  const words = (total + 31) >>> 5;
  if (places.length <= words) return { bits: null, list: Int32Array.from(places) };
  const bits = new Int32Array(words);
  for (const place of places) setBit(bits, place);
  return { bits, list: null };
}

export function setBit(bits: Int32Array, place: number): void {
  bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
}
