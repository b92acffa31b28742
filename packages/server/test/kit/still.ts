import { vi } from 'vitest';
import { startReviews } from '../../src/sessions/index.ts';
import type { Kit } from './index.ts';
import { LONGEST_SESSION, type TestService } from './service.ts';

/** How often workers of jobs look by themselves: who waits for that waits for an hour. */
export const NEVER = { woken: 3600, deaf: 3600 };

/**
 * Begins what looks again by itself every few seconds, without its looking: what it does after
 * that, it does because it was told.
 */
export async function withoutIntervals<T>(begin: () => T | Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  try {
    return await begin();
  } finally {
    vi.useRealTimers();
  }
}

/** Time-outs while they stand still. */
export interface Timeouts {
  /** Goes on by so many ms: what is over then happens now. */
  pass(ms: number): void;
  /** Waits for something to be so; `expect.poll` would have time pass. */
  until(so: () => boolean): Promise<void>;
}

/** Runs `act` while time-outs stand still, so that each is over exactly when it says, and nobody waits. */
export async function timeoutsStill<T>(act: (time: Timeouts) => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    return await act({ pass: (ms) => void vi.advanceTimersByTime(ms), until });
  } finally {
    vi.useRealTimers();
  }
}

async function until(so: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!so()) {
    if (performance.now() > end) throw new Error(`never so: ${so}`);
    await new Promise((turn) => setImmediate(turn));
  }
}

/** The reviews of sessions as the service runs them, but on signals alone: none is found by a sweep. */
export const reviewsOnSignals = (
  kit: Kit,
  service: TestService,
  onError: (error: unknown) => void,
  longestSession = LONGEST_SESSION,
): Promise<ReturnType<typeof startReviews>> =>
  withoutIntervals(() =>
    startReviews({ transact: kit.transact, signals: service.signals, longestSession, onError }),
  );
