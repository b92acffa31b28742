import type { MessageKind, NewMessage } from '../notifications/index.ts';
import type { Tx } from '../platform/tx.ts';
import { approversNow } from './approvers.ts';
import { cardOf } from './service-facts.ts';
import { loadCircumstances } from './service-load.ts';
import type { RequestRow } from './store.ts';
import { loadDelegations } from './store-roster.ts';

type Asking = 'approval_needed' | 'approval_reminder' | 'request_escalated';

/** What has become of the request, to whom it is about. @param by who brought it about, if a person did. */
export const toRequester = (
  row: RequestRow,
  kind: MessageKind,
  by?: string | null,
  more: Readonly<Record<string, string>> = {},
): NewMessage => ({
  to: row.requester_id,
  kind,
  request_id: row.id,
  body: { ...goalOf(row), ...(by == null ? {} : { by }), ...more },
});

/** "Please decide" to everybody whom the current step asks, and to who stands in for them now. */
export async function approversOfNext(
  tx: Tx,
  row: RequestRow,
  kind: Asking = 'approval_needed',
): Promise<NewMessage[]> {
  const { circumstances, decisions } = await loadCircumstances(tx, row);
  const asked = approversNow(circumstances.request, circumstances.roster);
  const told = new Set([...asked, ...(await standInsOf(tx, asked))]);
  told.delete(row.requester_id);
  if (kind === 'approval_reminder')
    for (const { voided_at, persons } of decisions)
      if (voided_at === null) for (const id of persons) told.delete(id);
  const body = { requester: cardOf(row).requester.name, ...goalOf(row) };
  return [...told].map((to) => ({ to, kind, request_id: row.id, body }));
}

/** What a message is about. */
function goalOf(row: RequestRow): { server: string } | { groups: string } {
  const { target } = cardOf(row);
  if (target.type === 'server_access') return { server: target.server.name };
  return { groups: target.memberships.map(({ group }) => group.name).join(', ') };
}

async function standInsOf(tx: Tx, asked: ReadonlySet<string>): Promise<string[]> {
  const known = await loadDelegations(tx.sql, [...asked], tx.now);
  return known.filter((d) => asked.has(d.from) && d.starts_at <= tx.now).map((d) => d.to);
}
