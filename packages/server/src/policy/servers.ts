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
  /** Every vaulted username there is on any server. */
  readonly usernames: ReadonlySet<string>;
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
  const columns = makeColumns(compiled, plans);
  const found: (SelectorMatches | undefined)[] = [];
  return {
    compiled,
    plans,
    byId: new Map(plans.map((plan) => [plan.id, plan])),
    places: new Map(plans.map((plan, place) => [plan.id, place])),
    usernames: new Set(servers.flatMap(({ accounts }) => accounts.map((a) => a.username))),
    matches(ordinal) {
      const known = found[ordinal];
      if (known !== undefined) return known;
      const selector = compiled.selectors[ordinal];
      const made = selector ? findMatches(columns, selector) : NO_MATCHES;
      found[ordinal] = made;
      return made;
    },
  };
}

/** What finding reads of every server, side by side instead of all over the heap. */
interface Columns {
  readonly plans: readonly ServerPlan[];
  readonly firstWords: Int32Array;
  /** A bit for each active server. */
  readonly active: Int32Array;
  /** Username code → places of the servers that have such an account. */
  readonly byUsername: readonly Int32Array[];
}

function makeColumns(compiled: CompiledPolicies, plans: readonly ServerPlan[]): Columns {
  const active = emptyBits(plans.length);
  const byUsername: number[][] = compiled.usernameTexts.map(() => []);
  for (const [place, plan] of plans.entries()) {
    if (plan.isActive) setBit(active, place);
    for (const code of plan.usernames) byUsername[code]?.push(place);
  }
  return {
    plans,
    firstWords: Int32Array.from(plans, (plan) => plan.first),
    active,
    byUsername: byUsername.map((places) => Int32Array.from(places)),
  };
}

const NO_PLACES = new Int32Array(0);
const NOWHERE: PlaceSet = { bits: null, list: NO_PLACES };
const NO_MATCHES: SelectorMatches = { servers: NOWHERE, withAccounts: NOWHERE };

function findMatches(columns: Columns, selector: CompiledSelector): SelectorMatches {
  const { plans, firstWords, active } = columns;
  const { test, usernames } = selector;
  if (test === null) return NO_MATCHES;
  const servers: number[] = [];
  for (let place = 0; place < firstWords.length; place++) {
    if (((firstWords[place] ?? 0) & test.mask) !== test.value || !hasBit(active, place)) continue;
    const plan = plans[place];
    if (plan !== undefined && restMatches(test.rest, plan)) servers.push(place);
  }
  const having = emptyBits(plans.length);
  for (const code of usernames) setBits(having, columns.byUsername[code] ?? NO_PLACES);
  const withAccounts = servers.filter((place) => hasBit(having, place));
  return {
    servers: placeSet(servers, plans.length),
    withAccounts: placeSet(withAccounts, plans.length),
  };
}

/** Whether the server has one of the accounts whose usernames have these codes. */
export const hasAccount = (plan: ServerPlan, codes: readonly number[]): boolean =>
  plan.usernames.some((code) => codes.includes(code));

function placeSet(places: readonly number[], total: number): PlaceSet {
  const list = Int32Array.from(places);
  if (list.length <= (total + 31) >>> 5) return { bits: null, list };
  const bits = emptyBits(total);
  setBits(bits, list);
  return { bits, list: null };
}

export const emptyBits = (total: number): Int32Array => new Int32Array((total + 31) >>> 5);

export function setBit(bits: Int32Array, place: number): void {
  bits[place >>> 5] = (bits[place >>> 5] ?? 0) | (1 << (place & 31));
}

export function setBits(bits: Int32Array, places: Int32Array): void {
  for (let i = 0; i < places.length; i++) setBit(bits, places[i] ?? 0);
}

const hasBit = (bits: Int32Array, place: number): boolean =>
  ((bits[place >>> 5] ?? 0) & (1 << (place & 31))) !== 0;
