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
  const { tests, selectors } = compiled;
  const { labelled, untils } = user;
  const { first } = server;
  const isNamed = user.naming !== null && server.naming !== null;
  let answer = isNamed ? new Answer(user, server, facts, now) : null;
  for (let i = 0; i < labelled.length; i++) {
    const ordinal = labelled[i] ?? -1;
    if ((first & (tests[2 * ordinal] ?? 0)) !== tests[2 * ordinal + 1]) continue;
    const selector = selectors[ordinal];
    const until = untils === null ? Number.POSITIVE_INFINITY : (untils[i] ?? 0);
    if (selector === undefined || until <= now) continue;
    if (selector.rest !== null && !restMatches(selector.rest, server)) continue;
    answer ??= new Answer(user, server, facts, now);
    if (isNamed) answer.addNamed(ordinal);
    answer.add(selector, until);
  }
  if (isNamed) answer?.addNamed(selectors.length);
  return answer?.methods ?? NO_METHODS;
}
