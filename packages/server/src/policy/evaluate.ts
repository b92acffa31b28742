import type { Instant } from '@postern/shared';
import { Answer } from './answer.ts';
import type { CompiledPolicies } from './compile.ts';
import type { Facts, ServerFacts, UserFacts } from './facts.ts';
import { restMatches } from './labels.ts';
import type { AccessMethod } from './method.ts';
import { compileServer, compileUser, type ServerPlan, type UserPlan } from './plan.ts';

const NO_METHODS: readonly AccessMethod[] = Object.freeze([]);

/**
 * Every way for this person into this server, and what each still needs. Pure: the same
 * arguments give the same answer. Nothing matches: no method.
 *
 * Order: allowed first, then fewest unmet conditions, then identity; among equals the one
 * with the smallest rule id.
 */
export function evaluate(
  compiled: CompiledPolicies,
  user: UserFacts,
  server: ServerFacts,
  facts: Facts,
  now: Instant,
): readonly AccessMethod[] {
  return evaluatePlanned(compileUser(compiled, user), compileServer(compiled, server), facts, now);
}

/** {@link evaluate} for a person and a server that were compiled against the same policies. */
export function evaluatePlanned(
  user: UserPlan,
  server: ServerPlan,
  facts: Facts,
  now: Instant,
): readonly AccessMethod[] {
  const { compiled } = user;
  if (compiled !== server.compiled) throw new Error('plans of different policy sets');
  if (!user.isActive || !server.isActive) return NO_METHODS;
  const hits = findHits(user, server, now);
  if (hits === null) return NO_METHODS;
  const answer = new Answer(user, server, facts, now);
  for (let i = 0; i < hits.length; i += 2) {
    const selector = compiled.selectors[hits[i] ?? -1];
    if (selector !== undefined) answer.add(selector, hits[i + 1] ?? 0);
  }
  return answer.methods();
}

/** Ordinal, path end, ordinal, path end, … of the selectors that match; ascending. */
function findHits(user: UserPlan, server: ServerPlan, now: Instant): number[] | null {
  const { masks, values, selectors } = user.compiled;
  const { labelled, untils } = user;
  const { first } = server;
  let hits: number[] | null = null;
  for (let i = 0; i < labelled.length; i++) {
    const ordinal = labelled[i] ?? -1;
    if ((first & (masks[ordinal] ?? 0)) !== values[ordinal]) continue;
    const test = selectors[ordinal]?.test;
    if (!test || (test.rest.length > 0 && !restMatches(test, server))) continue;
    const until = untils[i] ?? 0;
    if (until <= now) continue;
    hits ??= [];
    hits.push(ordinal, until);
  }
  return user.naming === null || server.naming === null ? hits : addNaming(user, server, now, hits);
}

/** The hits together with the selectors that name the server, in order again. */
function addNaming(
  user: UserPlan,
  server: ServerPlan,
  now: Instant,
  labelled: number[] | null,
): number[] | null {
  const named: [ordinal: number, until: number][] = [];
  for (const ordinal of server.naming ?? []) {
    const selector = user.compiled.selectors[ordinal];
    const until = selector && user.naming?.get(selector.policy);
    if (until === undefined || until <= now) continue;
    const group = selector?.resource_group_id ?? null;
    if (group === null || group === server.facts.resource_group_id) named.push([ordinal, until]);
  }
  if (named.length === 0) return labelled;
  for (let i = 0; labelled !== null && i < labelled.length; i += 2)
    named.push([labelled[i] ?? -1, labelled[i + 1] ?? 0]);
  return named.sort(([a], [b]) => a - b).flat();
}
