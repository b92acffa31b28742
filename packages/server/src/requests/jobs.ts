import type { Jobs } from '../platform/jobs.ts';
import type { Transact } from '../platform/tx.ts';
import { finishDue } from './service-end.ts';
import { dueRequests } from './store.ts';

interface World {
  readonly jobs: Jobs;
  readonly transact: Transact;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
  readonly onError: (error: unknown) => void;
}

const SWEEP_MS = 60_000;

/**
 * Timers. A job is a hint that something is due: the use case reads the row again and
 * finds out. A sweep every minute finishes what a lost job left, and what waited for a
 * clock that can be trusted.
 */
export async function startTimers(world: World): Promise<{ stop(): void }> {
  const { jobs, transact, clock, onError } = world;
  const due = async (request_id: string): Promise<void> => {
    if (isSafe(clock)) await transact((tx) => finishDue(tx, request_id));
  };
  await jobs.work('request.timeout', ({ request_id }) => due(request_id));
  await jobs.work('request.end', ({ request_id }) => due(request_id));
  const sweep = async (): Promise<void> => {
    const rows = await transact((tx) => dueRequests(tx.sql, tx.now));
    for (const { id } of rows) await due(id).catch(onError);
  };
  const timer = setInterval(() => void sweep().catch(onError), SWEEP_MS);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

function isSafe(clock: World['clock']): boolean {
  try {
    clock.assertSafe();
    return true;
  } catch {
    return false;
  }
}
