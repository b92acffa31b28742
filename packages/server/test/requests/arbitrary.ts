import fc from 'fast-check';
import type { Account, ApproverSet, Need, Roster, Step } from '../../src/requests/model.ts';
import { group, human, manager, roster, service, step, user } from './world.ts';

/** Small worlds: five humans, two service users, two groups, a manager; the requester is "a" or a service user. */
export const HUMANS = ['a', 'b', 'c', 'd', 'e'];
export const SERVICES = ['s', 't'];

const mostly = (p: number) => fc.integer({ min: 1, max: 100 }).map((n) => n <= p);

const account = (id: string): fc.Arbitrary<Account> =>
  mostly(85).map((active) => human(id, { active }));
const serviceUser = (id: string): fc.Arbitrary<Account> =>
  fc
    .tuple(fc.subarray(HUMANS, { maxLength: 2 }), mostly(90))
    .map(([owners, active]) => service(id, owners, { active }));

export const people: fc.Arbitrary<Roster> = fc
  .tuple(
    fc.tuple(...HUMANS.map(account), ...SERVICES.map(serviceUser)),
    fc.subarray([...HUMANS, ...SERVICES]),
    fc.subarray([...HUMANS, ...SERVICES]),
    fc.subarray(HUMANS, { maxLength: 1 }),
  )
  .map(([accounts, g, h, boss]) => roster(accounts, { g, h, manager: boss }));

const set: fc.Arbitrary<ApproverSet> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(group('g'), group('h')) },
  { weight: 2, arbitrary: fc.constant(manager) },
  { weight: 2, arbitrary: fc.constantFrom(...[...HUMANS, ...SERVICES].map(user)) },
);

const leaf: fc.Arbitrary<Need> = fc.record({
  any: fc.constantFrom(1, 1, 1, 2, 2, 3),
  of: fc.array(set, { minLength: 1, maxLength: 2 }),
});

const over = (inner: fc.Arbitrary<Need>): fc.Arbitrary<Need> => {
  const parts = fc.array(inner, { minLength: 1, maxLength: 2 });
  return fc.oneof(
    { weight: 3, arbitrary: leaf },
    { weight: 2, arbitrary: parts.map((all) => ({ all })) },
    { weight: 2, arbitrary: parts.map((either) => ({ either })) },
  );
};

export const need: fc.Arbitrary<Need> = over(over(leaf));

export const steps = (max: number): fc.Arbitrary<readonly Step[]> =>
  fc.array(
    need.map((needs) => step(needs)),
    { minLength: 1, maxLength: max },
  );

export const requester: fc.Arbitrary<string> = fc.constantFrom('a', 'a', 'a', 's');

/** How many leaves a tree has; the oracle's work grows with it. */
export const leafCount = (tree: Need): number =>
  'any' in tree
    ? 1
    : ('all' in tree ? tree.all : tree.either).reduce((sum, n) => sum + leafCount(n), 0);
