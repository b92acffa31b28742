import type { ApproverSet, Leaf, Need, RequestFacts, Step } from './model.ts';

/** The key of a set in {@link Roster.members}: by id, never by name. */
export const setKey = (set: ApproverSet): string =>
  set.kind === 'group' || set.kind === 'user' ? `${set.kind}:${set.id}` : set.kind;

/** The leaves of a tree, left to right. */
export function leavesOf(need: Need): readonly Leaf[] {
  if ('any' in need) return [need];
  return ('all' in need ? need.all : need.either).flatMap(leavesOf);
}

/** Every set the steps can ask, those of an escalation included, each once. */
export function setsOf(steps: readonly Step[]): readonly ApproverSet[] {
  const found = new Map<string, ApproverSet>();
  for (const step of steps) {
    const asked = leavesOf(step.needs).flatMap((leaf) => leaf.of);
    for (const set of [...asked, ...escalationOf(step)]) found.set(setKey(set), set);
  }
  return [...found.values()];
}

const escalationOf = (step: Step): readonly ApproverSet[] =>
  typeof step.on_timeout === 'object' ? step.on_timeout.escalate_to : [];

/** `need` with `sets` added to each leaf: more people may answer, just as many must. */
function widened(need: Need, sets: readonly ApproverSet[]): Need {
  if ('any' in need) return { any: need.any, of: [...need.of, ...sets] };
  if ('all' in need) return { all: need.all.map((n) => widened(n, sets)) };
  return { either: need.either.map((n) => widened(n, sets)) };
}

/** How many distinct persons at least meet `need`. */
function fewest(need: Need): number {
  if ('any' in need) return need.any;
  if ('all' in need) return need.all.reduce((sum, n) => sum + fewest(n), 0);
  return Math.min(...need.either.map(fewest));
}

/** `need`, where nobody alone is enough: each leaf that could be, asks two. */
export function byTwo(need: Need): Need {
  if (fewest(need) >= 2) return need;
  if ('any' in need) return { any: 2, of: need.of };
  if ('all' in need) return { all: need.all.map(byTwo) };
  return { either: need.either.map(byTwo) };
}

/** What step `index` of a request asks now, its escalation included; undefined when there is no such step. */
export function needsOf(request: RequestFacts, index: number): Need | undefined {
  const step = request.steps[index];
  if (step === undefined) return undefined;
  return request.escalated.includes(index) ? widened(step.needs, escalationOf(step)) : step.needs;
}
