import type { Seconds } from '@postern/shared';
import type { Signals } from '../platform/signals.ts';
import type { Transact } from '../platform/tx.ts';
import { reviewSession } from './service-cut.ts';
import { finishOverdue } from './service-lease.ts';
import { warnOfEnds } from './service-warn.ts';
import { openSessions, type SessionFilter } from './store.ts';

interface World {
  readonly transact: Transact;
  readonly signals: Pick<Signals, 'on'>;
  readonly longestSession: Seconds;
  readonly onError: (error: unknown) => void;
}

/** A session ends at its end, to the second; everything else is re-evaluated this often. */
const OVERDUE_MS = 1_000;
const SWEEP_MS = 10_000;

/**
 * Evaluates live sessions again: at once those that a committed change touches, all of
 * them every 10 s. Each in a transaction of its own, so that one fault stops no other.
 */
export function startReviews({ transact, signals, longestSession, onError }: World): {
  stop(): Promise<void>;
} {
  const running = new Set<Promise<void>>();
  const run = (act: () => Promise<void>): void => {
    const done = act()
      .catch(onError)
      .finally(() => running.delete(done));
    running.add(done);
  };
  const review = (filter: SessionFilter) =>
    run(async () => {
      const rows = await transact((tx) => openSessions(tx.sql, filter));
      for (const row of rows)
        await transact((tx) => reviewSession(tx, longestSession, row.id)).catch(onError);
    });
  const off = [
    signals.on('user', ({ id }) => review({ user_id: id })),
    signals.on('server', ({ id }) => review({ server_id: id })),
    signals.on('request', ({ id }) => review({ request_id: id })),
    signals.on('policy', () => review({})),
    signals.on('group', () => review({})),
    signals.on('reload', () => review({})),
  ];
  let overdue: Promise<void> | undefined;
  const timers = [
    setInterval(() => review({}), SWEEP_MS),
    setInterval(() => {
      overdue ??= transact((tx) => finishOverdue(tx, longestSession))
        .then(() => transact(warnOfEnds))
        .catch(onError)
        .finally(() => {
          overdue = undefined;
        });
    }, OVERDUE_MS),
  ];
  for (const timer of timers) timer.unref();
  return {
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      for (const stop of off) stop();
      await overdue;
      await Promise.all(running);
    },
  };
}
