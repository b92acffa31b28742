import { instant } from '@postern/shared';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  compile,
  compileUser,
  evaluate,
  evaluatePlanned,
  indexServers,
  listPlaces,
  listServers,
} from '../../src/policy/index.ts';
import { canonical, comparable, MINUTE, NOW } from './kit.ts';
import { naiveEvaluate } from './naive.ts';
import { worlds } from './world.ts';

const SEED = Number(process.env.POSTERN_TEST_SEED ?? 20260504);
/** Comparing texts is quick; the slow comparison is for showing a difference. */
function expectSame(a: unknown, b: unknown): void {
  if (canonical(a) !== canonical(b)) expect(a).toEqual(b);
}

const run = (runs: number) => ({ seed: SEED, numRuns: runs });

test('the same methods in the same order as the naive evaluator, for everybody everywhere', () => {
  let [pairs, allowed, merged, approved, proven] = [0, 0, 0, 0, 0];
  fc.assert(
    fc.property(worlds, (world) => {
      const compiled = compile(world);
      for (const user of world.users)
        for (const server of world.servers) {
          const methods = evaluate(compiled, user, server, world.facts, NOW);
          const naive = naiveEvaluate(world, user, server, world.facts, NOW);
          expectSame(comparable(methods), comparable(naive));
          pairs += methods.length > 0 ? 1 : 0;
          allowed += methods.filter((m) => m.allowed).length;
          approved += methods.filter((m) => JSON.stringify(m).includes('"approval-')).length;
          proven += methods.filter((m) => JSON.stringify(m).includes('"proof-')).length;
          merged += methods.filter((m) => m.rule_ids.length > 1).length;
        }
    }),
    run(500),
  );
  // The worlds are worth something.
  expect(approved).toBeGreaterThan(100);
  expect(proven).toBeGreaterThan(40);
  expect(pairs).toBeGreaterThan(1000);
  expect(allowed).toBeGreaterThan(500);
  expect(merged).toBeGreaterThan(80);
});

test('plans made once answer at every later instant as plans made then', () => {
  fc.assert(
    fc.property(worlds, (world) => {
      const compiled = compile(world);
      const index = indexServers(compiled, world.servers);
      for (const facts of world.users) {
        const plan = compileUser(compiled, facts);
        for (const minutes of [-60, 0, 17, 60]) {
          const now = instant(NOW + minutes * MINUTE);
          for (const server of index.plans)
            expectSame(
              evaluatePlanned(plan, server, world.facts, now),
              evaluate(compiled, facts, server.facts, world.facts, now),
            );
        }
      }
    }),
    run(60),
  );
});

test('the list is exactly the servers with at least one method, in the order given', () => {
  let listed = 0;
  fc.assert(
    fc.property(worlds, (world) => {
      const compiled = compile(world);
      const index = indexServers(compiled, world.servers);
      for (const user of world.users) {
        const list = listServers(compileUser(compiled, user), index, NOW);
        const having = world.servers.filter(
          (server) => evaluate(compiled, user, server, world.facts, NOW).length > 0,
        );
        expect(list).toEqual(having);
        const places = listPlaces(compileUser(compiled, user), index, NOW);
        expect([...places].map((place) => world.servers[place])).toEqual(having);
        listed += list.length;
      }
    }),
    run(400),
  );
  expect(listed).toBeGreaterThan(500);
});
