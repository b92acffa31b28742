import { matchesToken, parseToken } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import type { Connection } from './connection.ts';
import { findToken, lockConnection } from './store-connections.ts';

/** One call through a connection, in its transaction. */
export type Act<T> = (tx: Tx, connection: Connection) => Promise<T>;

const unauthenticated = (): Refusal =>
  new Refusal('unauthenticated', 'The token is not that of a SCIM connection.');

/**
 * The connection whose token was presented, read in this transaction under its lock: what
 * revokes it or rotates its token waits, or has happened. One answer for every fault.
 *
 * @throws Refusal `unauthenticated`
 */
export async function authenticateConnection(
  tx: Tx,
  bearer: string | undefined,
  base: string,
): Promise<Connection> {
  const presented = parseToken(bearer ?? '');
  if (!presented.ok) throw unauthenticated();
  const found = await findToken(tx.sql, presented.id);
  if (found === undefined || !matchesToken(presented, found.hash)) throw unauthenticated();
  await lockConnection(tx.sql, found.id, 'share');
  const now = await findToken(tx.sql, presented.id);
  if (now === undefined || now.token_revoked_at !== null || now.revoked_at !== null)
    throw unauthenticated();
  return {
    id: now.id,
    name: now.name,
    authoritative: new Set(now.authoritative),
    author: {
      actor: { type: 'scim_connection', id: now.id, name: now.name },
      made_by: [...new Set([...now.made_by, ...now.token_made_by])],
    },
    base,
  };
}
