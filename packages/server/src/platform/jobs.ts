import type { Instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import { fromKysely, PgBoss } from 'pg-boss';
import type { DatabaseHandle } from './db.ts';
import { type JobTable, QUEUES } from './job-table.ts';
import type { Database } from './schema.ts';

export type JobName = keyof JobTable;

export type Job = {
  readonly [N in JobName]: {
    readonly name: N;
    readonly payload: JobTable[N];
    /** Not before then. */
    readonly start_at?: Instant;
  };
}[JobName];

export type JobHandler<N extends JobName> = (payload: JobTable[N]) => Promise<void>;

export interface Jobs {
  /** In the caller's transaction: the job exists when that commits, and only then. */
  enqueue(handle: Kysely<Database>, job: Job): Promise<void>;
  /** Each job reaches one worker of one process. Throwing gives it back, to be tried again later. */
  work<N extends JobName>(name: N, handler: JobHandler<N>): Promise<void>;
  /** Waits for the handlers that run, at most `timeoutMs`. */
  stop(timeoutMs?: number): Promise<void>;
  /** Whether workers are woken; if not they poll. */
  readonly listening: boolean;
  readonly boss: PgBoss;
}

const HOUR = 3_600;

/**
 * Installs what pg-boss needs and creates every queue. Wake-ups need both
 * `useListenNotify` here and `notify` on the queue: with one of the two, jobs are picked
 * up by polling, silently.
 */
export async function startJobs(
  db: DatabaseHandle,
  onError: (error: unknown) => void,
  /** When, by the database's clock, a job is to start. */
  reached: (at: Instant) => Instant = (at) => at,
  /** How often a worker looks by itself: with wake-ups, and where they do not work. */
  pollSeconds = { woken: 5, deaf: 2 },
): Promise<Jobs> {
  const boss = new PgBoss({
    ...db.boss,
    schema: 'pgboss',
    useListenNotify: true,
    registerInstance: false,
    schedule: false,
    monitorVacuum: false,
    reindex: false,
    openTelemetry: { enabled: false },
  });
  boss.on('error', onError);
  let listening = true;
  boss.on('warning', ({ message, data }) => {
    if ((data as { type?: unknown }).type === 'listen_notify_unavailable') listening = false;
    onError(new Error(`pg-boss: ${message}`));
  });
  await boss.start();
  for (const name of Object.keys(QUEUES) as JobName[]) await ensureQueue(boss, name);

  return {
    boss,
    get listening() {
      return listening;
    },
    enqueue: async (handle, { name, payload, start_at }) => {
      // Its queue is in pg-boss's cache since start, so that nothing here needs another connection.
      await boss.send(name, payload, {
        db: fromKysely(handle),
        ...(start_at === undefined ? {} : { startAfter: new Date(reached(start_at)) }),
      });
    },
    work: async (name, handler) => {
      const options = {
        batchSize: 1,
        pollingIntervalSeconds: pollSeconds.deaf,
        notifyPollingIntervalSeconds: pollSeconds.woken,
      };
      for (let n = 0; n < QUEUES[name].concurrency; n++) {
        let worker = '';
        worker = await boss.work<JobTable[typeof name]>(name, options, async (jobs) => {
          try {
            for (const job of jobs) await handler(job.data);
          } finally {
            // Many jobs at once wake it once: without this the next would wait for its next look.
            boss.notifyWorker(worker);
          }
        });
      }
    },
    stop: (timeoutMs = 10_000) => boss.stop({ graceful: true, close: true, timeout: timeoutMs }),
  };
}

async function ensureQueue(boss: PgBoss, name: JobName): Promise<void> {
  const { retries, expire_seconds } = QUEUES[name];
  const options = {
    notify: true,
    retryLimit: retries,
    retryDelay: 1,
    retryBackoff: true,
    expireInSeconds: expire_seconds,
    deleteAfterSeconds: HOUR,
  };
  await boss.createQueue(name, options);
  await boss.updateQueue(name, options);
  await boss.getQueue(name);
}
