import { setTimeout as sleep } from 'node:timers/promises';
import { type Instant, instant } from '@postern/shared';
import { Kysely, sql, type Transaction } from 'kysely';
import type { ConstructorOptions } from 'pg-boss';
import { type Backend, type DatabaseKind, STALE_STATEMENT } from './backend.ts';
import { guarded, TransactionScope } from './guard.ts';
import { InstantCompiler } from './instants.ts';
import { openPGlite, type PGliteSettings } from './pglite.ts';
import { openPostgres, type PostgresSettings } from './postgres.ts';
import type { Database } from './schema.ts';

export interface DatabaseHandle {
  readonly kind: DatabaseKind;
  /** The outer handle: for reads that need no transaction. Inside one, using it throws. */
  readonly sql: Kysely<Database>;
  /** The handle of pg-boss: how it reaches this database. */
  readonly boss: ConstructorOptions;
  /**
   * Runs `fn` in a READ COMMITTED transaction. A deadlock or serialization failure runs it
   * again from the start, so `fn` has no effect but through its handle. Anything it throws
   * rolls back.
   */
  transact<T>(fn: (sql: Transaction<Database>) => Promise<T>): Promise<T>;
  /** `onConnected` follows each (re)connection: what was notified before it may be lost. */
  listen: Backend['listen'];
  session: Backend['session'];
  /** The database's clock. */
  now(): Promise<Instant>;
  close(): Promise<void>;
}

export type DatabaseSettings = PGliteSettings & Partial<PostgresSettings>;

/** PostgreSQL when `database_url` is set, else PGlite in `data_dir`. Nothing else changes. */
export async function openDatabase(settings: DatabaseSettings): Promise<DatabaseHandle> {
  const scope = new TransactionScope();
  const { database_url } = settings;
  const backend =
    database_url === undefined
      ? await openPGlite(settings, scope)
      : await openPostgres({ ...settings, database_url }, scope);
  const handle = new Kysely<Database>({
    dialect: {
      ...guarded(backend.dialect, scope, backend.single),
      createQueryCompiler: () => new InstantCompiler(),
    },
  });

  return {
    kind: backend.kind,
    sql: handle,
    boss: backend.boss,
    transact: (fn) => retried(() => once(handle, scope, fn)),
    listen: backend.listen,
    session: backend.session,
    now: async () => {
      const { rows } = await sql<{ ms: number }>`
        select (extract(epoch from clock_timestamp()) * 1000)::int8 as ms`.execute(handle);
      return instant(rows[0]!.ms);
    },
    close: backend.close,
  };
}

function once<T>(
  handle: Kysely<Database>,
  scope: TransactionScope,
  fn: (sql: Transaction<Database>) => Promise<T>,
): Promise<T> {
  return handle
    .transaction()
    .setIsolationLevel('read committed')
    .execute((trx) => scope.inside(() => fn(trx)));
}

const ATTEMPTS = 6;
/** serialization_failure, deadlock_detected; a statement prepared before a table was altered. */
const RETRIED = new Set(['40001', '40P01', STALE_STATEMENT]);

async function retried<T>(act: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await act();
    } catch (error) {
      if (attempt >= ATTEMPTS || !RETRIED.has(String((error as { code?: unknown }).code)))
        throw error;
      await sleep(Math.random() * 10 * 2 ** attempt);
    }
  }
}
