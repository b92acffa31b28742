import { type Ballot, bestFilling, type Demand, type Filling } from './matching.ts';
import type { ApproverSet, Need, RequestFacts, UserId, Vote } from './model.ts';
import { humansBehind, shares } from './people.ts';
import { eligibleIn, type View } from './roster.ts';

/** Somebody's yes: `as` is whose eligibility it uses, `persons` everybody it spends. */
export interface Yes extends Ballot {
  readonly as: UserId;
}

/**
 * Whether the yes-votes meet the step, and how they are counted. Each vote fills at
 * most one place of the tree, each person is spent once, and only those count who are
 * eligible now. The same function answers for decisions, for liveness and for what is
 * still needed.
 *
 * @returns undefined for a tree that asks for nothing: never met.
 */
const tally = (need: Need, votes: readonly Yes[], view: View): Filling | undefined =>
  bestFilling(demandOf(need, votes, view), votes);

export const isMet = (need: Need, votes: readonly Yes[], view: View): boolean =>
  tally(need, votes, view)?.missing === 0;

/** The tree with each leaf's sets replaced by the indices of the votes that count there. */
export function demandOf(need: Need, votes: readonly Yes[], view: View): Demand {
  if ('all' in need) return { all: need.all.map((n) => demandOf(n, votes, view)) };
  if ('either' in need) return { either: need.either.map((n) => demandOf(n, votes, view)) };
  const eligible = new Set(need.of.flatMap((set) => [...eligibleIn(set, view)]));
  const ballots = votes.flatMap((vote, i) => (counts(vote, eligible, view) ? [i] : []));
  return { any: need.any, ballots };
}

const counts = (vote: Yes, eligible: ReadonlySet<UserId>, view: View): boolean =>
  eligible.has(vote.as) && vote.persons.length > 0 && !shares(vote.persons, view.side);

/** A yes of everybody whom the sets ask. */
export function everyYes(sets: readonly ApproverSet[], view: View): readonly Yes[] {
  const ids = new Set(sets.flatMap((set) => [...eligibleIn(set, view)]));
  return [...ids].map((id) => ({ as: id, persons: [...(humansBehind(id, view.roster) ?? [])] }));
}

/** The approvals of a step that were not found void. */
export const approvalsOf = (request: RequestFacts, step: number): readonly Vote[] =>
  request.votes.filter((v) => v.step === step && v.decision === 'approve' && !v.void);

/** Everybody who approved in a step before `step`, needed or not: nobody counts twice. */
export const spentBefore = (request: RequestFacts, step: number): ReadonlySet<UserId> =>
  new Set(
    request.votes
      .filter((v) => v.step < step && v.decision === 'approve' && !v.void)
      .flatMap((v) => [...v.persons]),
  );
