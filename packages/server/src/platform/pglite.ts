import fs from 'node:fs';
import { type MemoryFS, PGlite, type Transaction as PGliteTransaction } from '@electric-sql/pglite';
import { PGliteDialect, type PGliteDialectConfig } from 'kysely';
import { fromPglite } from 'pg-boss';
import type { Backend, RawSession } from './backend.ts';
import { lockDirectory } from './directory-lock.ts';
import { MEMORY_START_PARAMS } from './durable-fs.ts';
import { StartupError } from './errors.ts';
import type { TransactionScope } from './guard.ts';
import { ensureDatabase } from './initdb.ts';
import { pgliteParsers } from './parsers.ts';
import { openDurable } from './pglite-durable.ts';
import { preparedQueries } from './pglite-queries.ts';

export interface PGliteSettings {
  /** Kept there durably, and locked for this process; without it, in memory (tests). */
  readonly data_dir?: string;
  /** Where an in-memory database has its files (tests). */
  readonly files?: MemoryFS;
  /** Called at every fsync (tests). */
  readonly onSync?: () => void;
}

/** The embedded database: PostgreSQL in WASM, one connection, one process. */
export async function openPGlite(
  settings: PGliteSettings,
  scope: TransactionScope,
): Promise<Backend> {
  const { pglite, release } =
    settings.data_dir === undefined
      ? await inMemory(settings)
      : await onDisk(settings.data_dir, settings.onSync);
  return {
    kind: 'pglite',
    dialect: new PGliteDialect({ pglite: neverHanging(pglite) }),
    single: true,
    boss: { backend: 'pglite', db: fromPglite(forBoss(pglite)) },
    listen: async (channel, onPayload, onConnected) => {
      // Called from within whichever query delivered it: leave that query first.
      const stop = await pglite.listen(channel, (payload) =>
        scope.outside(() => setImmediate(() => onPayload(payload))),
      );
      onConnected();
      return { close: () => stop() };
    },
    session: async (fn) => fn(rawSession(pglite)),
    close: async () => {
      if (!pglite.closed) await pglite.close();
      await release();
    },
  };
}

const inMemory = async ({ files }: PGliteSettings) => ({
  pglite: await PGlite.create({
    parsers: pgliteParsers(),
    startParams: MEMORY_START_PARAMS,
    ...(files ? { fs: files } : {}),
  }),
  release: async () => {},
});

async function onDisk(directory: string, onSync: (() => void) | undefined) {
  try {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new StartupError(`cannot create ${directory}: ${(error as Error).message}`);
  }
  const lock = await lockDirectory(directory);
  try {
    const pglite = await openDurable(await ensureDatabase(directory), onSync);
    return { pglite, release: () => lock.release() };
  } catch (error) {
    await lock.release();
    throw new StartupError(
      `cannot open the database in ${directory}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * For Kysely, which waits for its callback to be called: when BEGIN itself fails (the
 * database is closed), the callback gets a transaction in which every query fails so.
 */
function neverHanging(pglite: PGlite): Exclude<PGliteDialectConfig['pglite'], () => unknown> {
  const { query, queryInside } = preparedQueries(pglite);
  return {
    get closed() {
      return pglite.closed;
    },
    get ready() {
      return pglite.ready;
    },
    get waitReady() {
      return pglite.waitReady;
    },
    close: () => pglite.close(),
    query,
    transaction: async (callback) => {
      let begun = false;
      try {
        return await pglite.transaction((tx) => {
          begun = true;
          return callback({
            query: (text, params) =>
              tx.closed
                ? Promise.reject(new Error('The transaction has ended.'))
                : queryInside(text, params),
            rollback: () => tx.rollback(),
          });
        });
      } catch (error) {
        if (begun) throw error;
        const refuse = () => Promise.reject(error);
        return await callback({ query: refuse, rollback: refuse });
      }
    },
  };
}

const BEGIN = /^\s*BEGIN;/i;
const COMMIT = /;?\s*COMMIT;?\s*$/i;

/**
 * For pg-boss, which reads its own types, and sends whole transactions as one text. Those
 * run as PGlite's transactions: when one fails, nobody else's query can come between the
 * failure and the rollback.
 */
function forBoss(pglite: PGlite): Parameters<typeof fromPglite>[0] {
  const parsers = { 20: (text: string) => Number(text), 1184: (text: string) => new Date(text) };
  return {
    query: (text, params) => pglite.query(text, params as never[], { parsers }),
    exec: (text) =>
      BEGIN.test(text)
        ? pglite.transaction((tx) =>
            tx.exec(text.replace(BEGIN, '').replace(COMMIT, ''), { parsers }),
          )
        : pglite.exec(text, { parsers }),
    listen: (channel, callback) => pglite.listen(channel, callback),
  };
}

const rawSession = (pglite: PGlite): RawSession => ({
  query: async (text, params) => (await pglite.query<never>(text, params)).rows,
  transaction: (fn) => pglite.transaction((tx) => fn(rawTransaction(tx))),
});

const rawTransaction = (tx: PGliteTransaction) => ({
  script: async (text: string) => {
    await tx.exec(text);
  },
  query: async (text: string, params: unknown[]) => {
    await tx.query(text, params as never[]);
  },
});
