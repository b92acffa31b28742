import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decide } from '../../src/requests/decide.ts';
import { canBeMet, canEverBeMet, canStillBeMet } from '../../src/requests/liveness.ts';
import type { RequestFacts, Roster } from '../../src/requests/model.ts';
import { stillNeeded } from '../../src/requests/still-needed.ts';
import { HUMANS, leafCount, people, requester, SERVICES, steps } from './arbitrary.ts';
import { oracleLive } from './oracle.ts';
import { after, attempt, NOW, request } from './world.ts';

const EVERYBODY = [...HUMANS, ...SERVICES];

const raisedBy = (id: string, rest: Parameters<typeof request>): RequestFacts => {
  const facts = request(...rest);
  return { ...facts, requester: { ...facts.requester, id } };
};
const small = (list: RequestFacts['steps'], most: number) =>
  list.reduce((sum, s) => sum + leafCount(s.needs), 0) <= most;
const circumstances = (facts: RequestFacts, roster: Roster) => ({
  request: facts,
  roster,
  delegations: [],
  now: NOW,
});

/** Every order in which people could approve, until one ends in an approval. */
function somebodyApproves(facts: RequestFacts, roster: Roster, seen = new Set<string>()): boolean {
  if (facts.state === 'approved') return true;
  const key = facts.votes
    .map((v) => `${v.step}${v.by}`)
    .sort()
    .join();
  if (seen.has(key)) return false;
  seen.add(key);
  return EVERYBODY.some((id) => {
    const outcome = decide(attempt(facts, roster, id));
    return outcome.ok && somebodyApproves(after(facts, outcome), roster, seen);
  });
}

describe('liveness: a request can be met exactly when some set of votes meets all its steps', () => {
  test('agrees with trying every placement of everybody', () => {
    fc.assert(
      fc.property(steps(3), people, requester, (list, roster, id) => {
        fc.pre(small(list, 5));
        const facts = raisedBy(id, [list]);
        expect(canBeMet(list, roster, facts.requester).ok).toBe(
          oracleLive(
            list.map((s) => s.needs),
            roster,
            id,
          ),
        );
      }),
      { numRuns: 1500 },
    );
  });

  test('agrees with letting people decide in every order', () => {
    fc.assert(
      fc.property(steps(2), people, requester, (list, roster, id) => {
        fc.pre(small(list, 6));
        const facts = raisedBy(id, [list]);
        expect(canBeMet(list, roster, facts.requester).ok).toBe(somebodyApproves(facts, roster));
      }),
      { numRuns: 1500 },
    );
  });

  test('in the middle of a request it agrees with letting the others decide in every order', () => {
    const voters = fc.array(fc.constantFrom(...EVERYBODY), { maxLength: 4 });
    fc.assert(
      fc.property(steps(3), people, requester, voters, (list, roster, id, ids) => {
        fc.pre(small(list, 6));
        let facts = raisedBy(id, [list]);
        for (const voter of ids) {
          const outcome = decide(attempt(facts, roster, voter));
          if (outcome.ok) facts = after(facts, outcome);
        }
        fc.pre(facts.state === 'pending');
        expect(canStillBeMet(circumstances(facts, roster)).ok).toBe(
          somebodyApproves(facts, roster),
        );
      }),
      { numRuns: 1500 },
    );
  });

  test('what nobody can ever meet, this requester cannot meet either', () => {
    fc.assert(
      fc.property(steps(2), people, requester, (list, roster, id) => {
        if (!canEverBeMet(list, roster).ok)
          expect(canBeMet(list, roster, raisedBy(id, [list]).requester).ok).toBe(false);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('still needed', () => {
  test('is empty exactly when the request is approved', () => {
    const voters = fc.array(fc.constantFrom(...EVERYBODY), { maxLength: 6 });
    fc.assert(
      fc.property(steps(2), people, requester, voters, (list, roster, id, ids) => {
        let facts = raisedBy(id, [list]);
        for (const voter of ids) {
          const left = stillNeeded(circumstances(facts, roster));
          expect(left.length === 0).toBe(facts.state === 'approved');
          const outcome = decide(attempt(facts, roster, voter));
          if (outcome.ok) facts = after(facts, outcome);
        }
      }),
      { numRuns: 1500 },
    );
  });
});
