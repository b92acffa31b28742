import type { Instant } from '@postern/shared';
import { Answer } from './answer.ts';
import type { CompiledPolicies, CompiledSelector } from './compile.ts';
import type { Facts, ServerFacts, UserFacts } from './facts.ts';
import { restMatches } from './labels.ts';
import type { AccessMethod } from './method.ts';
import { compileServer, compileUser, type ServerPlan, type UserPlan } from './plan.ts';

const NO_METHODS: readonly AccessMethod[] = Object.freeze([]);
const NO_HITS: readonly Hit[] = Object.freeze([]);

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
  const named = namedHits(user, server, now);
  const { tests, selectors } = compiled;
  const { labelled, untils } = user;
  const { first } = server;
  let answer: Answer | null = null;
  let next = 0;
  for (let i = 0; i < labelled.length; i++) {
    const ordinal = labelled[i] ?? -1;
    if ((first & (tests[2 * ordinal] ?? 0)) !== tests[2 * ordinal + 1]) continue;
    const selector = selectors[ordinal];
    const until = untils === null ? Number.POSITIVE_INFINITY : (untils[i] ?? 0);
    if (selector === undefined || until <= now) continue;
    if (selector.rest !== null && !restMatches(selector.rest, server)) continue;
    answer ??= new Answer(user, server, facts, now);
    for (; next < named.length && (named[next]?.ordinal ?? 0) < ordinal; next++)
      addHit(answer, named[next]);
    answer.add(selector, until);
  }
  if (next < named.length) answer ??= new Answer(user, server, facts, now);
  for (; answer !== null && next < named.length; next++) addHit(answer, named[next]);
  return answer?.methods ?? NO_METHODS;
}

interface Hit {
  readonly ordinal: number;
  readonly selector: CompiledSelector;
  /** When the latest-ending membership that leads to it ends. */
  readonly until: number;
}

function addHit(answer: Answer, hit: Hit | undefined): void {
  if (hit !== undefined) answer.add(hit.selector, hit.until);
}

/** The selectors that name the server and that the person's memberships lead to; ascending. */
function namedHits(user: UserPlan, server: ServerPlan, now: Instant): readonly Hit[] {
  if (user.naming === null || server.naming === null) return NO_HITS;
  const hits: Hit[] = [];
  for (const ordinal of server.naming) {
    const selector = user.compiled.selectors[ordinal];
    if (selector === undefined) continue;
    const until = user.naming.get(selector.policy) ?? 0;
    const group = selector.resource_group_id;
    const isInGroup = group === null || group === server.facts.resource_group_id;
    if (until > now && isInGroup) hits.push({ ordinal, selector, until });
  }
  return hits;
}
