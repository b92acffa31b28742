import { standingVotes } from './decide.ts';
import { bestFilling, type Demand, mostPromising, type Slot } from './matching.ts';
import type { Circumstances } from './may-decide.ts';
import type { ApproverSet, Leaf, Need, UserId } from './model.ts';
import { leavesOf, needsOf } from './needs.ts';
import { humansBehind, shares } from './people.ts';
import { demandOf, everyYes, spentBefore, type Yes } from './quorum.ts';
import { eligibleIn, type View, viewOf } from './roster.ts';

/** What a step still lacks, in names for people to read. An empty `of` says that nobody is left to ask. */
export type StillNeeded =
  | { readonly any: number; readonly of: readonly string[] }
  | { readonly all: readonly StillNeeded[] }
  | { readonly either: readonly StillNeeded[] };

/**
 * What the current step still needs: all parts of the list. Votes that stand are taken
 * off, each in one place only; it is empty exactly when the step is met or the request
 * no longer pending. Names are as stored: whoever shows them makes them printable.
 */
export function stillNeeded(circumstances: Circumstances): readonly StillNeeded[] {
  const { request, roster } = circumstances;
  const need = needsOf(request, request.step);
  if (need === undefined || request.state !== 'pending') return [];
  const votes = standingVotes(circumstances).standing;
  const spent = [...spentBefore(request, request.step), ...votes.flatMap((v) => v.persons)];
  const scene = { view: viewOf(request.requester, roster), spent: new Set(spent) };
  const left = lacking(need, votes, scene);
  if (left === undefined) return [];
  return 'all' in left ? left.all : [left];
}

interface Scene {
  readonly view: View;
  /** Who has voted and cannot again. */
  readonly spent: ReadonlySet<UserId>;
}

/** What `need` lacks when `votes` are all it gets; undefined when it is met. */
function lacking(need: Need, votes: readonly Yes[], scene: Scene): StillNeeded | undefined {
  const filling = bestFilling(demandOf(need, votes, scene.view), votes);
  if (filling?.missing === 0) return undefined;
  if ('any' in need) return { any: need.any - (filling?.used.size ?? 0), of: namesOf(need, scene) };
  if ('either' in need) {
    const branches = need.either.flatMap((n) => lacking(n, votes, scene) ?? []);
    const open = branches.filter((b) => !('any' in b) || b.of.length > 0);
    return (
      single(open.length > 0 ? open : branches) ?? { either: open.length > 0 ? open : branches }
    );
  }
  const hands = deal(need.all, votes, scene);
  const parts = need.all.flatMap((n, i) => lacking(n, hands[i] ?? [], scene) ?? []);
  return single(parts) ?? { all: parts };
}

const single = (parts: readonly StillNeeded[]): StillNeeded | undefined =>
  parts.length === 1 ? parts[0] : undefined;

/**
 * Deals votes to the children of an `all`, no vote and no person twice: first where they
 * are most of use, then each that is left over to the first child with a place for it.
 */
function deal(
  children: readonly Need[],
  votes: readonly Yes[],
  { view, spent }: Scene,
): readonly (readonly Yes[])[] {
  const sets = children.flatMap((n) => leavesOf(n).flatMap((leaf) => leaf.of));
  const others = everyYes(sets, view).filter((yes) => !shares(yes.persons, spent));
  const demands = children.map((n) => demandOf(n, [...votes, ...others], view));
  const places = demands.map(slotsOf);
  const hands: Yes[][] = children.map(() => []);
  const taken = new Set<UserId>();
  const give = (vote: Yes, child: number) => {
    if (child < 0 || shares(vote.persons, taken)) return;
    hands[child]?.push(vote);
    for (const person of vote.persons) taken.add(person);
  };
  const filling = mostPromising({ all: demands }, votes.length);
  for (const [i, slot] of filling?.used ?? [])
    give(
      votes[i]!,
      places.findIndex((slots) => slots.includes(slot)),
    );
  votes.forEach((vote, i) => {
    give(
      vote,
      places.findIndex((slots) => slots.some((slot) => slot.ballots.includes(i))),
    );
  });
  return hands;
}

function slotsOf(demand: Demand): readonly Slot[] {
  if ('any' in demand) return [demand];
  return ('all' in demand ? demand.all : demand.either).flatMap(slotsOf);
}

const namesOf = (leaf: Leaf, scene: Scene): readonly string[] => [
  ...new Set(leaf.of.flatMap((set) => namesIn(set, scene))),
];

/** A group by its name; everybody else by his own, without those who voted already. */
function namesIn(set: ApproverSet, { view, spent }: Scene): readonly string[] {
  if (set.kind === 'group') return [`group:${set.name}`];
  return [...eligibleIn(set, view)]
    .filter((id) => !shares(humansBehind(id, view.roster) ?? [], spent))
    .map((id) => view.roster.accounts.get(id)?.name ?? id)
    .sort();
}
