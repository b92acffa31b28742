import { standingVotes } from './decide.ts';
import { bestFilling, type Demand, type Filling, type Slot } from './matching.ts';
import type { Circumstances } from './may-decide.ts';
import type { ApproverSet, Leaf, Need, UserId } from './model.ts';
import { needsOf } from './needs.ts';
import { humansBehind, shares } from './people.ts';
import { demandOf, spentBefore, type Yes } from './quorum.ts';
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
  const demand = demandOf(need, votes, scene.view);
  const filling = bestFilling(demand, votes);
  if (filling?.missing === 0) return undefined;
  if ('any' in need) return { any: need.any - (filling?.used.size ?? 0), of: namesOf(need, scene) };
  if ('either' in need) {
    const branches = need.either.flatMap((n) => lacking(n, votes, scene) ?? []);
    const open = branches.filter((b) => !('any' in b) || b.of.length > 0);
    return (
      single(open.length > 0 ? open : branches) ?? { either: open.length > 0 ? open : branches }
    );
  }
  const hands = 'all' in demand ? deal(demand.all, filling, votes) : [];
  const parts = need.all.flatMap((n, i) => lacking(n, hands[i] ?? [], scene) ?? []);
  return single(parts) ?? { all: parts };
}

const single = (parts: readonly StillNeeded[]): StillNeeded | undefined =>
  parts.length === 1 ? parts[0] : undefined;

/**
 * Deals votes to the children of an `all`, no vote and no person twice: first as the best
 * filling uses them, then each that it leaves over to the first child with a place for it.
 */
function deal(
  children: readonly Demand[],
  filling: Filling | undefined,
  votes: readonly Yes[],
): readonly (readonly Yes[])[] {
  const places = children.map(slotsOf);
  const hands: Yes[][] = children.map(() => []);
  const taken = new Set<UserId>();
  const give = (vote: Yes, child: number) => {
    hands[child]?.push(vote);
    for (const person of vote.persons) taken.add(person);
  };
  for (const [i, slot] of filling?.used ?? [])
    give(
      votes[i]!,
      places.findIndex((slots) => slots.includes(slot)),
    );
  votes.forEach((vote, i) => {
    const child = places.findIndex((slots) => slots.some((slot) => slot.ballots.includes(i)));
    if (child >= 0 && !shares(vote.persons, taken)) give(vote, child);
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
