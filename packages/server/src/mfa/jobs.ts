import { isSafe, startSweep } from '../platform/sweep.ts';
import type { Transact } from '../platform/tx.ts';
import { sweepProofs } from './service-sweep.ts';

/** Drops what counts no more, every minute. */
export const startMfaSweep = (world: {
  readonly transact: Transact;
  /** By a clock that is ahead, what is not over would be dropped. */
  readonly clock: { assertSafe(): void };
  readonly onError: (error: unknown) => void;
}): { stop(): Promise<void> } =>
  startSweep(world, async () => {
    if (isSafe(world.clock)) await world.transact(sweepProofs);
  });
