import { beforeEach, expect, test } from 'vitest';
import { createRefusals, type Refusals } from '../../src/platform/refusals.ts';

const NOBODY = { type: 'unknown', id: null, name: null };
const from = (address: string, id?: string) => ({
  type: 'pam.login.fail' as const,
  actor: id === undefined ? NOBODY : { type: 'user', id, name: null },
  address,
});
let now = 0;
let refusals: Refusals;
beforeEach(() => {
  now = 0;
  refusals = createRefusals(() => now);
});
const times = (n: number, refused = from('192.0.2.1')): number =>
  Array.from({ length: n }, () => refusals.take(refused)).filter(Boolean).length;
const counts = (all?: boolean) =>
  refusals.counted(all).map(({ client_address, details }) => [client_address, details?.count]);

test('60 a minute of one are on record, the others are counted, and told once', () => {
  expect(times(100)).toBe(60);
  expect(counts()).toEqual([]);
  now = 60_000;
  expect(counts()).toEqual([['192.0.2.1', 40]]);
  expect(counts()).toEqual([]);
  expect(times(100)).toBe(60);
});

test('another address, or a person from the same one, is another', () => {
  times(100);
  expect(times(1, from('192.0.2.2'))).toBe(1);
  expect(times(1, from('192.0.2.1', 'ana'))).toBe(1);
});

test('a person is one from wherever he calls', () => {
  times(60, from('192.0.2.1', 'ana'));
  expect(times(1, from('192.0.2.2', 'ana'))).toBe(0);
});

test('600 a minute of all, however many addresses there are; none is lost', () => {
  let recorded = 0;
  for (let i = 0; i < 5_000; i++) recorded += times(1, from(`2001:db8::${i.toString(16)}`));
  expect(recorded).toBe(600);
  const events = refusals.counted(true);
  expect(events.length).toBeLessThanOrEqual(1_001);
  const told = events.map(({ details }) => Number(details?.count));
  expect(told.reduce((a, b) => a + b, 0)).toBe(4_400);
});

test('what was counted so far is told when the service stops', () => {
  times(61);
  expect(counts(true)).toEqual([['192.0.2.1', 1]]);
});
