import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  labelTest,
  layOut,
  packLabels,
  restMatches,
  type Wanted,
} from '../../src/policy/labels.ts';
import { SERVER } from './kit.ts';

/** Whether the pairs hold, by the packed words. */
function packedMatches(selections: readonly Wanted[][], wanted: readonly Wanted[], labels: object) {
  const layout = layOut(selections);
  const server = { ...SERVER, resource_group_id: 'rg1', labels: labels as Record<string, string> };
  const packed = packLabels(layout, server);
  const probe = labelTest(layout, wanted);
  return (packed.first & probe.mask) === probe.value && restMatches(probe.rest, packed);
}

test('packed labels match as labels do, over however many words they need', () => {
  const key = fc.integer({ min: 0, max: 11 }).map((n) => `key-${n}`);
  const value = fc.integer({ min: 0, max: 400 }).map((n) => `value-${n % 7 === 0 ? n : n % 5}`);
  const selection = fc.dictionary(key, value, { minKeys: 1, maxKeys: 4 }).chain((labels) =>
    fc.option(fc.constantFrom('rg1', 'rg2')).map((group): Wanted[] => {
      const pairs: Wanted[] = Object.entries(labels);
      return group === null ? pairs : [...pairs, [null, group]];
    }),
  );
  const selections = fc.noBias(fc.array(selection, { minLength: 1, maxLength: 60, size: 'max' }));
  let [words, matched] = [0, 0];
  fc.assert(
    fc.property(selections, fc.dictionary(key, value), fc.nat(100), (all, labels, n) => {
      words = Math.max(words, layOut(all).words);
      // Half of the time the server has what one selection wants.
      const fitting = Object.fromEntries((all[n % all.length] ?? []).filter(([k]) => k !== null));
      const server = n % 2 ? { ...labels, ...fitting } : labels;
      for (const wanted of all) {
        const expected = wanted.every(([k, v]) => (k === null ? v === 'rg1' : server[k] === v));
        expect(packedMatches(all, wanted, server)).toBe(expected);
        matched += expected ? 1 : 0;
      }
    }),
    { seed: 20260504, numRuns: 300 },
  );
  expect(words).toBeGreaterThan(1);
  expect(matched).toBeGreaterThan(100);
});

test('one key of more values than a word has bits for pairs', () => {
  const many = Array.from({ length: 5000 }, (_, i): Wanted[] => [['host', `h${i}`]]);
  for (const i of [0, 1, 2047, 4999]) {
    expect(packedMatches(many, [['host', `h${i}`]], { host: `h${i}` })).toBe(true);
    expect(packedMatches(many, [['host', `h${i}`]], { host: `h${i + 1}` })).toBe(false);
    expect(packedMatches(many, [['host', `h${i}`]], { host: 'no policy names this' })).toBe(false);
  }
});

test('a test for pairs that the layout does not know is a mistake, not a match', () => {
  const layout = layOut([[['env', 'prod']]]);
  expect(() => labelTest(layout, [['env', 'dev']])).toThrow();
  expect(() => labelTest(layout, [['os', 'linux']])).toThrow();
});
