import type { Caller } from '../identity/index.ts';
import type { Tx } from '../platform/tx.ts';

/** What other features do when a server or account goes; given by deps.ts, so that no cycle arises. */
export interface InventoryHooks {
  /** Another machine may be behind the record: ends its pending requests, approvals and sessions. */
  serverMoved(tx: Tx, serverId: string, caller: Caller): Promise<void>;
  /** As {@link serverMoved}, for good. */
  serverRemoved(tx: Tx, serverId: string, caller: Caller): Promise<void>;
  /** Ends the pending requests, approvals and sessions that are for this account. */
  accountRemoved(tx: Tx, accountId: string, caller: Caller): Promise<void>;
}
