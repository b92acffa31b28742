import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { type ServerRecord, serverFactsOf } from './store.ts';

/** @throws Refusal `not_found` when it is deleted or never was */
export async function findServer(tx: Tx, id: string): Promise<ServerRecord> {
  const [server] = await serverFactsOf(tx.sql, [id]);
  if (server === undefined || server.state === 'DELETED')
    throw new Refusal('not_found', 'There is no such server.');
  return server;
}
