import { constants } from 'node:os';
import type { SignalHandler } from '../streams.ts';

const WATCHED = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Ctrl-C aborts `interrupt`, so that what runs can end in order; a second one, and the
 * other signals, end the process. Whoever holds a connection takes the signals over.
 */
export function nodeSignals(): {
  readonly interrupt: AbortSignal;
  take(handler: SignalHandler): () => void;
} {
  const controller = new AbortController();
  const takers: SignalHandler[] = [];
  const onSignal = (name: NodeJS.Signals) => {
    const taker = takers.at(-1);
    if (taker !== undefined) return taker(name);
    if (name === 'SIGINT' && !controller.signal.aborted) return controller.abort();
    process.exit(128 + constants.signals[name]);
  };
  for (const name of WATCHED) process.on(name, onSignal);
  return {
    interrupt: controller.signal,
    take: (handler) => {
      takers.push(handler);
      return () => {
        takers.splice(takers.indexOf(handler), 1);
      };
    },
  };
}
