import { createBell, type Signal, type Signals } from './signals.ts';
import type { Transact } from './tx.ts';

interface Own {
  readonly transact: Transact;
  readonly signals: Pick<Signals, 'on'>;
}

/**
 * The same transactions and signals, for what remembers answers: it also hears what this
 * process commits before whoever committed goes on, so that people see what they have just
 * done. PostgreSQL's notice of it comes over another connection, and some ms later.
 */
export function hearingOwn({ transact, signals }: Own, onError: (error: unknown) => void): Own {
  const own = createBell(onError);
  return {
    transact: async (fn) => {
      let told: Signal[] = [];
      const result = await transact((tx) => {
        told = [];
        const signal = (one: Signal) => {
          told.push(one);
          return tx.signal(one);
        };
        return fn({ ...tx, signal });
      });
      for (const signal of told) own.ring(signal);
      return result;
    },
    signals: {
      on: (kind, callback) => {
        const stops = [signals.on(kind, callback), own.on(kind, callback)];
        return () => {
          for (const stop of stops) stop();
        };
      },
    },
  };
}
