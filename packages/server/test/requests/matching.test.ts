import { describe, expect, test } from 'vitest';
import {
  alternatives,
  type Ballot,
  bestFilling,
  canFill,
  type Demand,
  mostPromising,
} from '../../src/requests/matching.ts';

const single = (n: number): Ballot[] =>
  Array.from({ length: n }, (_, i) => ({ persons: [`p${i}`] }));
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('matching ballots to slots', () => {
  test('the alternatives of a tree are one branch at every either', () => {
    const slot = (n: number): Demand => ({ any: n, ballots: [] });
    const tree: Demand = {
      all: [{ either: [slot(1), slot(2)] }, { either: [slot(3), { all: [slot(4), slot(5)] }] }],
    };
    const found = [...alternatives(tree)].map((slots) => slots.map((s) => s.any).join(' '));
    expect(found).toEqual(['1 3', '1 4 5', '2 3', '2 4 5']);
  });

  test('the filling says how much is missing and who went where', () => {
    const a = { any: 2, ballots: [0, 1] };
    const b = { any: 2, ballots: [1] };
    const filling = bestFilling({ all: [a, b] }, single(2));
    expect(filling?.missing).toBe(2);
    expect(filling?.used.size).toBe(2);
  });

  test('the alternative that lacks least is taken', () => {
    const far = { any: 3, ballots: [0] };
    const near = { any: 1, ballots: [] };
    expect(bestFilling({ either: [far, near] }, single(1))?.slots).toEqual([near]);
  });

  test('a ballot that spends more gives way to two that spend less', () => {
    const ballots: Ballot[] = [{ persons: ['a', 'b'] }, { persons: ['a'] }, { persons: ['b'] }];
    expect(canFill({ any: 2, ballots: [0, 1, 2] }, ballots)).toBe(true);
    expect(canFill({ any: 3, ballots: [0, 1, 2] }, ballots)).toBe(false);
  });

  test('and is used where nothing else fits', () => {
    const ballots: Ballot[] = [{ persons: ['a', 'b'] }, { persons: ['a'] }, { persons: ['c'] }];
    const demand: Demand = {
      all: [
        { any: 1, ballots: [0] },
        { any: 1, ballots: [1, 2] },
      ],
    };
    expect(canFill(demand, ballots)).toBe(true);
  });

  test('also where the demand cannot be met, the filling that lacks least is found', () => {
    const ballots: Ballot[] = [{ persons: ['a', 'b'] }, { persons: ['a'] }, { persons: ['c'] }];
    const slots = [
      { any: 1, ballots: [1, 2] },
      { any: 1, ballots: [0] },
      { any: 1, ballots: [] },
    ];
    expect(bestFilling({ all: slots }, ballots)?.missing).toBe(1);
  });

  test('a person named twice by one ballot is no conflict', () => {
    expect(canFill({ any: 1, ballots: [0] }, [{ persons: ['a', 'a'] }])).toBe(true);
  });

  test('large groups and many places are no matter', () => {
    const slots = range(0, 40).map((i) => ({ any: 20, ballots: range(i * 20, i * 20 + 9_000) }));
    expect(canFill({ all: slots }, single(10_000))).toBe(true);
  });

  test('twenty ballots in a ring, each sharing a person with the next, count as ten', () => {
    const ring = range(0, 20).map((i) => ({ persons: [`p${i}`, `p${(i + 1) % 20}`] }));
    expect(canFill({ any: 10, ballots: range(0, 20) }, ring)).toBe(true);
    expect(canFill({ any: 11, ballots: range(0, 20) }, ring)).toBe(false);
  });

  test('what is too entangled to work out is not met', () => {
    const ring = range(0, 60).map((i) => ({ persons: [`p${i}`, `p${(i + 1) % 60}`] }));
    expect(canFill({ any: 31, ballots: range(0, 60) }, ring)).toBe(false);
  });
});

describe('how given ballots leave room for others', () => {
  const where = (demand: Demand, given: number) =>
    [...(mostPromising(demand, given)?.used ?? [])].map(([b, slot]) => `${b} → any ${slot.any}`);

  test('a given ballot is placed where the others do not fit', () => {
    const two = { any: 2, ballots: [0, 1, 2] };
    const one = { any: 1, ballots: [0] };
    expect(where({ all: [two, one] }, 1)).toEqual(['0 → any 1']);
  });

  test('an alternative that can be met is preferred to one that lacks less and cannot', () => {
    const dead = { any: 2, ballots: [0] };
    const open = { any: 3, ballots: [1, 2, 3] };
    expect(mostPromising({ either: [dead, open] }, 1)?.slots).toEqual([open]);
    expect(mostPromising({ either: [open, dead] }, 1)?.slots).toEqual([open]);
    expect(mostPromising({ either: [dead, { any: 4, ballots: [1] }] }, 1)?.slots).toEqual([dead]);
  });

  test('of two that can be met, the one that lacks less', () => {
    const far = { any: 3, ballots: [0, 1, 2] };
    const near = { any: 1, ballots: [1] };
    expect(mostPromising({ either: [far, near] }, 1)).toMatchObject({ missing: 1, slots: [near] });
  });

  test('nothing where there is no alternative', () => {
    expect(mostPromising({ all: [] }, 0)).toBeUndefined();
  });
});
