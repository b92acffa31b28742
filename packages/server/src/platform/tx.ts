import type { Instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import { insertEvent, type NewEvent, type SecretPolicy } from './audit.ts';
import type { Clock } from './clock.ts';
import type { DatabaseHandle } from './db.ts';
import type { Ids } from './ids.ts';
import type { Job, Jobs } from './jobs.ts';
import type { Database } from './schema.ts';
import { notify, type Signal } from './signals.ts';

/**
 * Everything a use case may touch while its transaction is open. No network and no files
 * inside: on PGlite they stop every other request.
 */
export interface Tx {
  /** The transaction's handle; nothing else reaches the database. */
  readonly sql: Kysely<Database>;
  /** One instant for the whole transaction. */
  readonly now: Instant;
  readonly ids: Ids;
  /** Writes the event with the change it is about. */
  audit(event: NewEvent): Promise<void>;
  /** A job that exists when this commits. */
  enqueue(job: Job): Promise<void>;
  /** Tells every replica when this commits. */
  signal(signal: Signal): Promise<void>;
}

/** `fn` may run more than once (see DatabaseHandle.transact), each time with a fresh `now`. */
export type Transact = <T>(fn: (tx: Tx) => Promise<T>) => Promise<T>;

export interface TxWorld {
  readonly db: Pick<DatabaseHandle, 'transact'>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly jobs: Pick<Jobs, 'enqueue'>;
  readonly secrets: SecretPolicy;
}

export function createTransact({ db, clock, ids, jobs, secrets }: TxWorld): Transact {
  return (fn) =>
    db.transact((sql) => {
      const now = clock.now();
      return fn({
        sql,
        now,
        ids,
        audit: (event) => insertEvent(sql, { now, ids, secrets }, event),
        enqueue: (job) => jobs.enqueue(sql, job),
        signal: (signal) => notify(sql, signal),
      });
    });
}
