import { type Instant, instant, toRfc3339 } from '@postern/shared';
import { Refusal } from './errors.ts';

/** The only source of "now". Nothing else calls Date.now(). */
export interface Clock {
  now(): Instant;
}

export const systemClock: Clock = { now: () => instant(Date.now()) };

/** A clock that runs at another speed than the one it is made from, and how the two translate. */
export interface ScaledClock extends Clock {
  /** What this clock shows when the other shows `at`. */
  shown(at: Instant): Instant;
  /** When, by the other clock, this one shows `at`. */
  reached(at: Instant): Instant;
}

/** For a demo that cannot wait for days: both show the same now, then this one runs ahead. */
export function scaledClock(clock: Clock, speed: number): ScaledClock {
  const start = clock.now();
  const shown = (at: Instant): Instant => instant(Math.floor(start + (at - start) * speed));
  return {
    now: () => shown(clock.now()),
    shown,
    reached: (at) => instant(Math.ceil(start + (at - start) / speed)),
  };
}

export interface SimulatedClock extends Clock {
  set(at: Instant): void;
  advance(bySeconds: number): void;
}

/** For tests: stands still until it is moved. */
export function simulatedClock(start: Instant): SimulatedClock {
  let at = start;
  return {
    now: () => at,
    set: (to) => {
      at = to;
    },
    advance: (by) => {
      at = instant(at + by * 1000);
    },
  };
}

export type ClockState =
  | { readonly safe: true }
  | { readonly safe: false; readonly reason: string };

/**
 * Whether this service's clock may be used to issue anything.
 *
 * Unsafe: more than 5 s away from the database's clock; more than 5 s before an instant
 * already seen (by this process, or recorded in the database: see `seen`); or not
 * compared for 30 s. A step back stays unsafe until the clock has passed that instant
 * again, because approvals and ends recorded meanwhile lie in its future.
 */
export interface ClockGuard {
  /** Compares with the database now. Never throws; a database that cannot be asked leaves the age growing. */
  check(): Promise<ClockState>;
  /** The latest instant known to have been recorded. */
  seen(at: Instant): void;
  state(): ClockState;
  /** @throws Refusal `clock_unsafe` */
  assertSafe(): void;
}

export const CLOCK_TOLERANCE_MS = 5_000;
const COMPARISON_MAX_AGE_MS = 30_000;

interface GuardWorld {
  readonly clock: Clock;
  /** `select now()` on the database, outside any transaction. */
  readonly databaseNow: () => Promise<Instant>;
  /** Milliseconds that only ever grow: process.hrtime, not the wall clock. */
  readonly monotonic: () => number;
}

export function createClockGuard({ clock, databaseNow, monotonic }: GuardWorld): ClockGuard {
  let latest = clock.now();
  let skewMs: number | undefined;
  let comparedAt: number | undefined;

  const state = (): ClockState => {
    const now = clock.now();
    if (now > latest) latest = now;
    if (latest - now > CLOCK_TOLERANCE_MS)
      return unsafe(
        `the clock stepped back: it shows ${toRfc3339(now)}, ${toRfc3339(latest)} was already seen`,
      );
    if (skewMs !== undefined && Math.abs(skewMs) > CLOCK_TOLERANCE_MS)
      return unsafe(
        `the clock is ${Math.round(Math.abs(skewMs) / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} the database's`,
      );
    if (comparedAt === undefined || monotonic() - comparedAt > COMPARISON_MAX_AGE_MS)
      return unsafe("the clock has not been compared with the database's for 30 s");
    return { safe: true };
  };

  return {
    state,
    seen: (at) => {
      if (at > latest) latest = at;
    },
    check: async () => {
      const before = clock.now();
      try {
        const theirs = await databaseNow();
        skewMs = distance(before, theirs, clock.now());
        comparedAt = monotonic();
      } catch {
        // The age of the last comparison decides.
      }
      return state();
    },
    assertSafe: () => {
      const current = state();
      if (current.safe) return;
      throw new Refusal('clock_unsafe', `Nothing is issued: ${current.reason}.`, {
        next: 'An operator must correct the clock of the service or of the database (NTP).',
      });
    },
  };
}

const unsafe = (reason: string): ClockState => ({ safe: false, reason });

/** How far our reading lies after (+) or before (-) theirs, the round trip allowed for. */
function distance(before: Instant, theirs: Instant, after: Instant): number {
  if (theirs < before) return before - theirs;
  if (theirs > after) return after - theirs;
  return 0;
}
