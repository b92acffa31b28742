import type { NewMessage } from '../notifications/index.ts';
import type { Tx } from '../platform/tx.ts';
import { approversNow } from './approvers.ts';
import { cardOf } from './service-facts.ts';
import { loadCircumstances } from './service-load.ts';
import type { RequestRow } from './store.ts';

/** "Please decide" to everybody whom the current step asks. */
export async function approversOfNext(tx: Tx, row: RequestRow): Promise<NewMessage[]> {
  const { circumstances } = await loadCircumstances(tx, row);
  const card = cardOf(row);
  return [...approversNow(circumstances.request, circumstances.roster)].map((to) => ({
    to,
    kind: 'approval_needed',
    request_id: row.id,
    body: { requester: card.requester.name, server: card.target.server.name },
  }));
}
