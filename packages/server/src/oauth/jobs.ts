import type { Transact } from '../platform/tx.ts';
import { sweepOver } from './service-sweep.ts';

const SWEEP_MS = 60_000;

/** Drops what is over, every minute. Nothing waits for it: what is over opens nothing. */
export function startOauthSweep(world: {
  readonly transact: Transact;
  readonly onError: (error: unknown) => void;
}): { stop(): Promise<void> } {
  let running = Promise.resolve();
  const round = (): void => {
    running = running.then(() => world.transact(sweepOver).catch(world.onError));
  };
  round();
  const timer = setInterval(round, SWEEP_MS);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
