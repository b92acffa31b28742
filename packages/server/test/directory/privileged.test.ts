import { describe, expect, test } from 'vitest';
import {
  fewestPeople,
  type People,
  type SourceFacts,
  unnamedSources,
  whyNotInto,
} from '../../src/directory/privileged.ts';

const steps = (...needs: readonly People[]) => needs.map((need) => ({ needs: need }));

describe('the fewest people who could approve', () => {
  test.each<[number, readonly People[]]>([
    [1, [{ any: 1 }]],
    [2, [{ any: 2 }]],
    [2, [{ any: 1 }, { any: 1 }]],
    [2, [{ all: [{ any: 1 }, { any: 1 }] }]],
    [1, [{ either: [{ any: 1 }, { any: 2 }] }]],
    [2, [{ either: [{ all: [{ any: 1 }, { any: 1 }] }, { any: 3 }] }]],
    [3, [{ either: [{ any: 2 }, { any: 3 }] }, { any: 1 }]],
    [2, [{ all: [{ either: [{ any: 1 }, { any: 5 }] }, { either: [{ any: 1 }] }] }]],
    [0, []],
    [0, [{ either: [] }]],
    [0, [{ all: [] }]],
  ])('%i: %j', (people, needs) => {
    expect(fewestPeople(steps(...needs))).toBe(people);
  });
});

describe('into a privileged group a request takes', () => {
  const why = (
    needs: People | null,
    grants_role: boolean | undefined,
    kind: 'role' | 'approver' | 'principal',
  ) =>
    whyNotInto(
      {
        ...(grants_role === undefined ? {} : { grants_role }),
        steps: needs === null ? [] : steps(needs),
      },
      [{ kind }],
    );

  test.each(['role', 'approver', 'principal'] as const)('grants_role: %s', (kind) => {
    expect(why({ any: 2 }, undefined, kind)).toBe('grants_role');
    expect(why({ any: 2 }, false, kind)).toBe('grants_role');
    expect(why({ any: 2 }, true, kind)).toBeUndefined();
  });

  test('two people where it gives a role or a say in approvals, one where it gives access', () => {
    expect(why({ any: 1 }, true, 'role')).toBe('two_people');
    expect(why({ any: 1 }, true, 'approver')).toBe('two_people');
    expect(why(null, true, 'role')).toBe('two_people');
    expect(why({ any: 1 }, true, 'principal')).toBeUndefined();
    expect(whyNotInto({ steps: steps({ any: 1 }) }, [])).toBeUndefined();
  });
});

describe('sources that a group may not have', () => {
  const role = { group_id: 'g', kind: 'role', name: 'auditor' } as const;
  const facts = (given: Partial<SourceFacts>): SourceFacts => ({
    uses: [role],
    named: [],
    pushed: false,
    live: [],
    ...given,
  });

  test.each<[readonly string[], Partial<SourceFacts>]>([
    [[], {}],
    [[], { uses: [], live: ['scim', 'rule', 'request'], pushed: true }],
    [['scim'], { live: ['scim'] }],
    [[], { live: ['scim'], named: ['scim'] }],
    [['scim'], { live: ['scim'], named: ['rule'] }],
    [['scim'], { pushed: true }],
    [[], { pushed: true, named: ['scim'] }],
    [['rule'], { live: ['rule', 'scim'], named: ['scim'] }],
    [['request'], { live: ['request'], named: ['scim', 'rule'] }],
  ])('%j: %j', (sources, given) => {
    expect(unnamedSources(facts(given))).toEqual(sources);
  });
});
