import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresDialect } from 'kysely';
import pg from 'pg';
import type { Backend, Listening, RawSession } from './backend.ts';
import { StartupError } from './errors.ts';
import type { TransactionScope } from './guard.ts';
import { pgTypes } from './parsers.ts';
import { preparingPool } from './postgres-queries.ts';

export interface PostgresSettings {
  readonly database_url: string;
  readonly pool_size?: number;
  /** Called when a connection is lost outside any query. */
  readonly onError?: (error: Error) => void;
}

const SESSION = '-c TimeZone=UTC -c DateStyle=ISO -c client_min_messages=warning';
const CONNECT_MS = 10_000;
const HEARTBEAT_MS = 5_000;

/** PostgreSQL by a pool; notifications on a connection of their own. */
export async function openPostgres(
  settings: PostgresSettings,
  scope: TransactionScope,
): Promise<Backend> {
  const onError = settings.onError ?? (() => {});
  const base: pg.ClientConfig = {
    connectionString: settings.database_url,
    types: pgTypes,
    options: SESSION,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'postern',
  };
  const pool = new pg.Pool({
    ...base,
    max: settings.pool_size ?? 10,
    statement_timeout: 30_000,
    lock_timeout: 10_000,
    idle_in_transaction_session_timeout: 60_000,
    maxLifetimeSeconds: 3_600, // with it goes what a connection keeps
  });
  pool.on('error', onError);
  try {
    (await pool.connect()).release();
  } catch (error) {
    await pool.end();
    throw new StartupError(`cannot reach the database: ${(error as Error).message}`, {
      next: 'Check POSTERN_DATABASE_URL, and that PostgreSQL is running.',
    });
  }
  return {
    kind: 'postgres',
    dialect: new PostgresDialect({ pool: preparingPool(pool) }),
    single: false,
    boss: { backend: 'postgres', connectionString: settings.database_url, max: 4 },
    listen: (channel, onPayload, onConnected) =>
      scope.outside(() => listen({ base, channel, onPayload, onConnected, onError })),
    session: (fn) => withClient(base, (client) => fn(rawSession(client))),
    close: async () => {
      if (!pool.ended) await pool.end();
    },
  };
}

async function withClient<T>(config: pg.ClientConfig, fn: (client: pg.Client) => Promise<T>) {
  const client = new pg.Client(config);
  client.on('error', () => {}); // whatever runs on it rejects with the same
  await client.connect();
  try {
    return await fn(client);
  } finally {
    await client.end();
  }
}

const rawSession = (client: pg.Client): RawSession => ({
  query: async (text, params) => (await client.query(text, params)).rows as never[],
  transaction: async (fn) => {
    await client.query('begin');
    try {
      const result = await fn({
        script: async (text) => {
          await client.query(text);
        },
        query: async (text, params) => {
          await client.query(text, params);
        },
      });
      await client.query('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch(() => {});
      throw error;
    }
  },
});

interface ListenArgs {
  readonly base: pg.ClientConfig;
  readonly channel: string;
  readonly onPayload: (payload: string) => void;
  readonly onConnected: () => void;
  readonly onError: (error: Error) => void;
}

/** Keeps one connection listening; after each (re)connection calls `onConnected`. */
async function listen({ base, channel, onPayload, onConnected, onError }: ListenArgs) {
  const closing = new AbortController();
  let client: pg.Client | undefined;

  const connect = async (): Promise<pg.Client> => {
    const next = new pg.Client({ ...base, query_timeout: HEARTBEAT_MS });
    next.on('error', onError);
    next.on('notification', ({ payload }) => onPayload(payload ?? ''));
    await next.connect();
    await next.query(`listen ${pg.escapeIdentifier(channel)}`);
    client = next;
    onConnected();
    return next;
  };

  const reconnect = async (): Promise<pg.Client | undefined> => {
    for (let wait = 100; !closing.signal.aborted; wait = Math.min(wait * 2, 2_000)) {
      await pause(wait, closing.signal);
      try {
        if (!closing.signal.aborted) return await connect();
      } catch (error) {
        onError(error as Error);
      }
    }
    return undefined;
  };

  const keep = async (first: pg.Client): Promise<void> => {
    let current: pg.Client | undefined = first;
    while (current && !closing.signal.aborted) {
      try {
        await beat(current, closing.signal);
      } catch (error) {
        if (closing.signal.aborted) return;
        onError(error as Error);
        current.end().catch(() => {});
        current = await reconnect();
      }
    }
  };

  const kept = keep(await connect());
  const listening: Listening = {
    close: async () => {
      closing.abort();
      await client?.end().catch(() => {});
      await kept;
    },
  };
  return listening;
}

/** Waits until it is time to ask, or the connection ends; then asks whether it still lives. */
async function beat(client: pg.Client, closing: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const onEnd = () => ended.abort();
  client.once('end', onEnd);
  try {
    await pause(HEARTBEAT_MS, AbortSignal.any([closing, ended.signal]));
    if (!closing.aborted) await client.query('select 1');
  } finally {
    client.off('end', onEnd);
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => {});
