import { sql } from 'kysely';
import { json } from './columns.ts';
import type { Tx } from './tx.ts';

interface Scope {
  readonly actor_id: string;
  readonly operation: string;
  readonly key: string;
}

/** How long an answer is kept. */
const KEPT_MS = 24 * 3600 * 1000;

/** Two calls with one key at once: the second waits for the first to commit. */
export const claimKey = (tx: Tx, { actor_id, operation, key }: Scope): Promise<unknown> =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`idempotency ${actor_id} ${operation} ${key}`}, 0))`.execute(
    tx.sql,
  );

export function findKey(tx: Tx, { actor_id, operation, key }: Scope) {
  return tx.sql
    .selectFrom('idempotency_keys')
    .select(['body_hash', 'status', 'response'])
    .where('actor_id', '=', actor_id)
    .where('operation', '=', operation)
    .where('key', '=', key)
    .where('created_at', '>', (tx.now - KEPT_MS) as typeof tx.now)
    .executeTakeFirst();
}

export async function saveKey(
  tx: Tx,
  scope: Scope,
  answer: { body_hash: string; status: number; response: unknown },
): Promise<void> {
  const row = { ...answer, response: json(answer.response), created_at: tx.now };
  await tx.sql
    .insertInto('idempotency_keys')
    .values({ ...scope, ...row })
    .onConflict((c) => c.columns(['actor_id', 'operation', 'key']).doUpdateSet(row))
    .execute();
}
