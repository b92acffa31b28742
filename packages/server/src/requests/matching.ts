/** A vote, given or imagined: the persons it spends. Two ballots that share one exclude each other. */
export interface Ballot {
  readonly persons: readonly string[];
}

/** `any` ballots out of those whose indices stand in `ballots`. */
export interface Slot {
  readonly any: number;
  readonly ballots: readonly number[];
}

export type Demand =
  | Slot
  | { readonly all: readonly Demand[] }
  | { readonly either: readonly Demand[] };

/** The best way found to fill a demand: one alternative, and which ballot went to which of its slots. */
export interface Filling {
  /** How many ballots are still missing; 0 when the demand is met. */
  readonly missing: number;
  readonly slots: readonly Slot[];
  readonly used: ReadonlyMap<number, Slot>;
}

/** More work than any type that may be published can need; beyond it the answer is "not met". */
const MAX_TRIES = 4096;

/**
 * The filling that leaves the fewest ballots missing: over every alternative of the
 * tree a maximum matching of ballots to slots, in which no ballot serves two slots and
 * no person is spent twice.
 *
 * @returns undefined when the demand has no alternative at all (an empty `all` or
 *   `either`, a slot that asks for none): that is never met.
 */
export function bestFilling(demand: Demand, ballots: readonly Ballot[]): Filling | undefined {
  const budget = { tries: MAX_TRIES };
  let best: Filling | undefined;
  for (const slots of alternatives(demand)) {
    const found = fill(slots, ballots, new Set(), best?.missing ?? Infinity, budget);
    if (found !== undefined) best = found;
    if (best?.missing === 0 || budget.tries <= 0) break;
  }
  return best;
}

export const canFill = (demand: Demand, ballots: readonly Ballot[]): boolean =>
  bestFilling(demand, ballots)?.missing === 0;

/**
 * How the first `given` ballots best fill a demand that the others may still come to
 * fill: in an alternative that all of them together can meet, if there is one, in which
 * the given ones leave the fewest missing, and placed so that the others fit. For
 * showing what is needed, not for deciding: it does not look at persons.
 */
export function mostPromising(demand: Demand, given: number): Filling | undefined {
  let best: { readonly filling: Filling; readonly hopeless: number } | undefined;
  for (const slots of alternatives(demand)) {
    const used = new Map<number, Slot>();
    const { missing } = maximumMatching(slots, (b) => b < given, used);
    const hopeless = maximumMatching(slots, () => true, used).missing;
    const filling = { missing, slots, used: new Map([...used].filter(([b]) => b < given)) };
    const better =
      best === undefined ||
      hopeless < best.hopeless ||
      (hopeless === best.hopeless && missing < best.filling.missing);
    if (better) best = { filling, hopeless };
  }
  return best?.filling;
}

/** Each way to choose one branch at every `either`, as the slots that must then all be filled. */
export function* alternatives(demand: Demand): Generator<readonly Slot[]> {
  if ('any' in demand) {
    if (Number.isInteger(demand.any) && demand.any >= 1) yield [demand];
  } else if ('either' in demand) {
    for (const branch of demand.either) yield* alternatives(branch);
  } else if (demand.all.length > 0) {
    yield* product(demand.all);
  }
}

function* product(demands: readonly Demand[]): Generator<readonly Slot[]> {
  const [first, ...rest] = demands;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const head of alternatives(first))
    for (const tail of product(rest)) yield [...head, ...tail];
}

/**
 * Branch and bound over ballots that share a person: a matching that ignores the
 * conflicts bounds what is possible; where it uses two ballots that exclude each other,
 * either the larger one is not used, or nothing that conflicts with it is.
 *
 * @returns undefined unless fewer than `bound` are missing.
 */
function fill(
  slots: readonly Slot[],
  ballots: readonly Ballot[],
  without: ReadonlySet<number>,
  bound: number,
  budget: { tries: number },
): Filling | undefined {
  budget.tries -= 1;
  if (budget.tries < 0) return undefined;
  const relaxed = maximumMatching(slots, (b) => !without.has(b));
  if (relaxed.missing >= bound) return undefined;
  const pivot = conflictIn([...relaxed.used.keys()], ballots);
  if (pivot === undefined) return relaxed;
  const used = fill(slots, ballots, withoutConflicts(pivot, ballots, without), bound, budget);
  if (used?.missing === 0) return used;
  const unused = fill(
    slots,
    ballots,
    new Set([...without, pivot]),
    Math.min(bound, used?.missing ?? Infinity),
    budget,
  );
  return unused ?? used;
}

/** Of two used ballots that share a person, the one that spends more; undefined when none do. */
function conflictIn(used: readonly number[], ballots: readonly Ballot[]): number | undefined {
  const spentBy = new Map<string, number>();
  for (const b of used) {
    for (const person of new Set(ballots[b]!.persons)) {
      const other = spentBy.get(person);
      if (other !== undefined)
        return ballots[other]!.persons.length > ballots[b]!.persons.length ? other : b;
      spentBy.set(person, b);
    }
  }
  return undefined;
}

function withoutConflicts(
  pivot: number,
  ballots: readonly Ballot[],
  without: ReadonlySet<number>,
): ReadonlySet<number> {
  const spent = new Set(ballots[pivot]!.persons);
  const gone = new Set(without);
  ballots.forEach((ballot, b) => {
    if (b !== pivot && ballot.persons.some((person) => spent.has(person))) gone.add(b);
  });
  return gone;
}

/**
 * Kuhn's augmenting paths from the slots' side, over the ballots that are `there`. Goes
 * on from `used` where that is given: whatever is used stays in use, perhaps elsewhere.
 */
function maximumMatching(
  slots: readonly Slot[],
  there: (ballot: number) => boolean,
  used: Map<number, Slot> = new Map(),
): Filling {
  const present = new Map(slots.map((slot) => [slot, slot.ballots.filter(there)]));
  const filled = new Map<Slot, number>();
  for (const slot of used.values()) filled.set(slot, (filled.get(slot) ?? 0) + 1);
  const augment = (slot: Slot, tried: Set<Slot>): boolean => {
    tried.add(slot);
    const ballots = present.get(slot)!;
    const free = ballots.find((b) => !used.has(b));
    if (free !== undefined) {
      used.set(free, slot);
      return true;
    }
    return ballots.some((b) => {
      const holder = used.get(b)!;
      if (tried.has(holder) || !augment(holder, tried)) return false;
      used.set(b, slot);
      return true;
    });
  };
  let missing = 0;
  for (const slot of slots)
    for (let n = filled.get(slot) ?? 0; n < slot.any; n++)
      if (!augment(slot, new Set())) missing += 1;
  return { missing, slots, used };
}
