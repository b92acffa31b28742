import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMet, type Yes } from '../../src/requests/quorum.ts';
import { viewOf } from '../../src/requests/roster.ts';
import { HUMANS, leafCount, need, people, requester, SERVICES } from './arbitrary.ts';
import { behind, oracleMeets } from './oracle.ts';
import { RAISED } from './world.ts';

const EVERYBODY = [...HUMANS, ...SERVICES];
const view = (id: string, roster: Parameters<typeof viewOf>[1]) =>
  viewOf({ id, token_issued_by: null, made_by: [], raised_at: RAISED }, roster);

/** Votes with any persons at all, shared ones included: more than the rules of deciding let through. */
const entangled: fc.Arbitrary<Yes[]> = fc.array(
  fc.record({ as: fc.constantFrom(...EVERYBODY), persons: fc.subarray(HUMANS, { maxLength: 2 }) }),
  { maxLength: 5 },
);

describe('quorum: a step is met when distinct people can be matched to its leaves', () => {
  test('agrees with trying every placement, also of votes that share persons', () => {
    fc.assert(
      fc.property(need, entangled, people, requester, (tree, votes, roster, id) => {
        fc.pre(leafCount(tree) <= 5);
        const own = votes.map((v) => ({ ...v, persons: [...v.persons] }));
        expect(isMet(tree, own, view(id, roster))).toBe(
          oracleMeets(
            [tree],
            own.filter((v) => !v.persons.some((p) => [id, ...behind(id, roster)].includes(p))),
            roster,
            id,
          ),
        );
      }),
      { numRuns: 4000 },
    );
  });

  const oneEach: fc.Arbitrary<string[]> = fc.subarray(EVERYBODY);
  const yes = (ids: readonly string[], roster: Parameters<typeof viewOf>[1]): Yes[] =>
    ids.map((as) => ({ as, persons: behind(as, roster) }));

  test('one more vote never un-meets a step', () => {
    fc.assert(
      fc.property(
        need,
        oneEach,
        fc.constantFrom(...EVERYBODY),
        people,
        requester,
        (tree, ids, more, roster, id) => {
          const before = isMet(tree, yes(ids, roster), view(id, roster));
          const added = isMet(tree, yes([...ids, more], roster), view(id, roster));
          if (before) expect(added).toBe(true);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('the order of votes never matters', () => {
    fc.assert(
      fc.property(need, oneEach, people, requester, (tree, ids, roster, id) => {
        const there = isMet(tree, yes(ids, roster), view(id, roster));
        const back = isMet(tree, yes([...ids].reverse(), roster), view(id, roster));
        expect(back).toBe(there);
      }),
      { numRuns: 1000 },
    );
  });

  test("the requester's votes never change anything, nor those of his service users", () => {
    fc.assert(
      fc.property(need, oneEach, people, requester, (tree, ids, roster, id) => {
        const side = [id, ...behind(id, roster)];
        const others = ids.filter(
          (v) => !behind(v, roster).some((p) => side.includes(p)) && v !== id,
        );
        const mine = EVERYBODY.filter(
          (v) => !others.includes(v) && behind(v, roster).some((p) => side.includes(p)),
        );
        expect(isMet(tree, yes([...others, ...mine], roster), view(id, roster))).toBe(
          isMet(tree, yes(others, roster), view(id, roster)),
        );
      }),
      { numRuns: 2000 },
    );
  });

  test('nothing is met without a vote', () => {
    fc.assert(
      fc.property(need, people, requester, (tree, roster, id) => {
        expect(isMet(tree, [], view(id, roster))).toBe(false);
      }),
    );
  });
});
