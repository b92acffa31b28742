import type { Instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import { insertEvents, type NewEvent, type SecretPolicy } from './audit.ts';
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
  /** Writes events with the change they are about. */
  audit(...events: readonly NewEvent[]): Promise<void>;
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
        audit: (...events) => insertEvents(sql, { now, ids, secrets }, events),
        enqueue: (job) => jobs.enqueue(sql, job),
        signal: (signal) => notify(sql, signal),
      });
    });
}

/** The same transaction, with more said in its events: of all, however many are written at once. */
export const withEvents = (tx: Tx, mark: (event: NewEvent) => NewEvent): Tx => ({
  ...tx,
  audit: (...events) => tx.audit(...events.map(mark)),
});
