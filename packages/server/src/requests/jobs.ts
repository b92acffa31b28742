import type { Jobs } from '../platform/jobs.ts';
import { isSafe, startSweep } from '../platform/sweep.ts';
import type { Transact } from '../platform/tx.ts';
import { finishDue } from './service-end.ts';
import { dueRequests } from './store.ts';
import { dueMembershipRequests } from './store-memberships.ts';

interface World {
  readonly jobs: Jobs;
  readonly transact: Transact;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
  readonly onError: (error: unknown) => void;
}

/**
 * Timers. A job is a hint that something is due: the use case reads the row again and
 * finds out. The sweep finishes what a lost job left, and what waited for a clock that can
 * be trusted.
 */
export async function startTimers(world: World): Promise<{ stop(): Promise<void> }> {
  const { jobs, transact, clock, onError } = world;
  const due = async (request_id: string): Promise<void> => {
    if (isSafe(clock)) await transact((tx) => finishDue(tx, request_id));
  };
  await jobs.work('request.timeout', ({ request_id }) => due(request_id));
  await jobs.work('request.end', ({ request_id }) => due(request_id));
  return startSweep({ onError }, async () => {
    const rows = await transact(async (tx) => [
      ...(await dueRequests(tx.sql, tx.now)),
      ...(await dueMembershipRequests(tx.sql, tx.now)),
    ]);
    for (const { id } of rows) await due(id).catch(onError);
  });
}
