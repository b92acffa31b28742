import { instant } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { createClockGuard, scaledClock, simulatedClock } from '../../src/platform/clock.ts';
import { createIds } from '../../src/platform/ids.ts';

const START = instant(Date.parse('2026-03-02T09:00:00Z'));

function world() {
  const clock = simulatedClock(START);
  let ticks = 0;
  let apart = 0;
  let reachable = true;
  const guard = createClockGuard({
    clock,
    monotonic: () => ticks,
    databaseNow: async () => {
      if (!reachable) throw new Error('away');
      return instant(clock.now() + apart);
    },
  });
  return {
    guard,
    /** Time goes by, everywhere. */
    pass: (seconds: number) => {
      clock.advance(seconds);
      ticks += seconds * 1000;
    },
    step: (seconds: number) => clock.advance(seconds),
    apart: (seconds: number) => {
      apart = seconds * 1000;
    },
    loseDatabase: () => {
      reachable = false;
    },
  };
}

test('unsafe: not compared yet', () => {
  expect(world().guard.state()).toMatchObject({ safe: false });
});

test('safe: compared, and at most 5 s apart', async () => {
  for (const apart of [0, 5, -5]) {
    const w = world();
    w.apart(apart);
    expect(await w.guard.check()).toEqual({ safe: true });
    w.guard.assertSafe();
  }
});

test.each([
  [6, 'behind'],
  [-6, 'ahead of'],
  [3600, 'behind'],
])('unsafe: %i s apart from the database', async (apart, word) => {
  const w = world();
  w.apart(apart);
  expect(await w.guard.check()).toMatchObject({
    safe: false,
    reason: expect.stringContaining(word),
  });
  expect(() => w.guard.assertSafe()).toThrow(expect.objectContaining({ code: 'clock_unsafe' }));
});

test('unsafe: a step back of more than 5 s, at once and until the clock has caught up', async () => {
  const w = world();
  await w.guard.check();
  w.pass(10);
  expect(w.guard.state().safe).toBe(true);
  w.step(-4);
  expect(w.guard.state().safe).toBe(true);
  w.step(-3600);
  expect(w.guard.state().safe).toBe(false);
  w.pass(1800);
  expect((await w.guard.check()).safe).toBe(false);
  w.pass(1800);
  expect((await w.guard.check()).safe).toBe(true);
});

test('unsafe: started before an instant that is already recorded', async () => {
  const w = world();
  w.guard.seen(instant(START + 60_000));
  expect(await w.guard.check()).toMatchObject({ safe: false });
});

test('unsafe: the database has not answered for 30 s', async () => {
  const w = world();
  await w.guard.check();
  w.loseDatabase();
  w.pass(29);
  expect((await w.guard.check()).safe).toBe(true);
  w.pass(2);
  expect((await w.guard.check()).safe).toBe(false);
});

test('ids: UUIDv7, unique, sorted as made, while time passes, stands still and steps back', () => {
  const clock = simulatedClock(START);
  const ids = createIds(clock);
  const made: string[] = [];
  for (let i = 0; i < 20_000; i++) {
    if (i === 5_000) clock.advance(1);
    if (i === 10_000) clock.advance(-3600);
    if (i === 15_000) clock.advance(7200);
    made.push(ids.uuid());
  }
  expect(new Set(made).size).toBe(made.length);
  expect([...made].sort()).toEqual(made);
  for (const id of made)
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(made[0]!.replaceAll('-', '').slice(0, 12), 16)).toBe(START);
});

describe('the clock of a demo', () => {
  test('shows the same now, runs ahead, and translates both ways', () => {
    const machine = simulatedClock(START);
    const fast = scaledClock(machine, 60);
    expect(fast.now()).toBe(START);
    machine.advance(10);
    expect(fast.now()).toBe(START + 600_000);
    expect(fast.shown(machine.now())).toBe(fast.now());
    expect(fast.reached(fast.now())).toBe(machine.now());
  });

  test('at the speed of the machine it is the machine’s', () => {
    const machine = simulatedClock(START);
    const same = scaledClock(machine, 1);
    machine.advance(86_400);
    expect(same.now()).toBe(machine.now());
    expect(same.reached(machine.now())).toBe(machine.now());
  });
});
