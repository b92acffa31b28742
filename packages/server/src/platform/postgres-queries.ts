import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { STALE_STATEMENT, STATEMENTS_KEPT } from './backend.ts';

/**
 * A pool for Kysely in which each connection keeps its statements prepared: a text is parsed
 * once, and planned anew only while that pays. Plans are PostgreSQL's to keep or to renew. When
 * there are enough, other texts are sent as they come, until the connection has had its time.
 * A pooler between must hand out sessions, or know prepared statements (PgBouncer since 1.21).
 */
export function preparingPool(pool: pg.Pool): PostgresPool {
  const known = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  return {
    connect: async () => {
      const client = await pool.connect();
      const preparing = known.get(client) ?? preparingClient(client);
      known.set(client, preparing);
      return preparing;
    },
    end: () => pool.end(),
  } as PostgresPool;
}

function preparingClient(client: pg.PoolClient): PostgresPoolClient {
  const kept = new Map<string, string>();
  let serial = 0;

  async function query(text: string, values: readonly unknown[]) {
    // Without values it is what opens or ends a transaction, or asked once.
    if (values.length === 0) return await client.query(text);
    const name = kept.get(text) ?? (kept.size < STATEMENTS_KEPT ? `q${serial++}` : undefined);
    if (name === undefined) return await client.query(text, [...values]);
    kept.set(text, name);
    try {
      return await client.query({ name, text, values: [...values] });
    } catch (error) {
      if ((error as { code?: unknown }).code === STALE_STATEMENT) kept.delete(text);
      throw error;
    }
  }

  const release = (destroy?: boolean) => client.release(destroy);
  return { query: query as unknown as PostgresPoolClient['query'], release };
}
