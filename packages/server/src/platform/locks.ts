import type { Kysely } from 'kysely';
import type { Database } from './schema.ts';

/**
 * Lock, then read, then decide. Whoever decides on users, servers or the policy set
 * takes their revision rows FOR SHARE, in id order, before reading any fact; whoever
 * changes a fact about them bumps the row. READ COMMITTED is then enough: a reader that
 * holds the lock sees every committed change, and no change can commit before him.
 */
export async function lockShared(sql: Kysely<Database>, ids: Iterable<string>): Promise<void> {
  const wanted = [...new Set(ids)].sort();
  if (wanted.length === 0) return;
  await sql
    .selectFrom('revisions')
    .select('id')
    .where('id', 'in', wanted)
    .orderBy('id')
    .forShare()
    .execute();
}

/**
 * As {@link lockShared}, with the policy set's row among them: for whoever evaluates
 * policy and acts on the answer.
 */
export async function lockDeciding(sql: Kysely<Database>, ids: Iterable<string>): Promise<void> {
  const wanted = [...new Set(ids)];
  await sql
    .selectFrom('revisions')
    .select('id')
    .where((e) =>
      e.or([e('kind', '=', 'policy'), ...(wanted.length > 0 ? [e('id', 'in', wanted)] : [])]),
    )
    .orderBy('id')
    .forShare()
    .execute();
}

/** The policy set (policies, request types, role bindings) is about to change. */
export async function bumpPolicy(sql: Kysely<Database>): Promise<void> {
  await sql
    .updateTable('revisions')
    .set((e) => ({ revision: e('revision', '+', 1) }))
    .where('kind', '=', 'policy')
    .execute();
}

/** Takes the rows FOR UPDATE in id order and counts them up: before the facts change. */
export async function bumpRevisions(sql: Kysely<Database>, ids: Iterable<string>): Promise<void> {
  const wanted = [...new Set(ids)].sort();
  if (wanted.length === 0) return;
  await sql
    .selectFrom('revisions')
    .select('id')
    .where('id', 'in', wanted)
    .orderBy('id')
    .forUpdate()
    .execute();
  await sql
    .updateTable('revisions')
    .set((e) => ({ revision: e('revision', '+', 1) }))
    .where('id', 'in', wanted)
    .execute();
}

export const addRevision = (
  sql: Kysely<Database>,
  id: string,
  kind: 'user' | 'server' | 'policy',
): Promise<unknown> => sql.insertInto('revisions').values({ id, kind }).execute();
