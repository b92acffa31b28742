import { type AuditEvent, type EventType, type Query, toRfc3339 } from '@postern/shared';
import { cutPage, pageOf } from '../platform/paging.ts';
import { isPlainText } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { type EventRow, listEvents } from './store.ts';

/** Events, newest first. One that is not numbered yet has no `seq`. */
export async function listAuditEvents(
  tx: Tx,
  query: Query<'listAuditEvents'>,
): Promise<{ readonly list: AuditEvent[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  const { type, request_id, session_id, target, group } = query;
  // What no event can hold is found in none.
  if ([type, target, group].some((text) => text !== undefined && !isPlainText(text)))
    return { list: [] };
  const filter = { ...page, type, request_id, session_id, target, group };
  const cut = cutPage(await listEvents(tx.sql, filter), page);
  return { ...cut, list: cut.list.map(toEvent) };
}

/** The events of one type about an access request, oldest first: as many as a page holds. */
export async function eventsOf(tx: Tx, request_id: string, type: EventType) {
  const all = {
    after: undefined,
    limit: MOST,
    session_id: undefined,
    target: undefined,
    group: undefined,
  };
  const rows = await listEvents(tx.sql, { ...all, request_id, type });
  return rows.reverse().map(({ at, actor, details }) => ({
    at,
    actor: actor as AuditEvent['actor'],
    details: details as Readonly<Record<string, unknown>>,
  }));
}

const MOST = 500;

const toEvent = (row: EventRow): AuditEvent => ({
  id: row.id,
  seq: row.seq,
  at: toRfc3339(row.at),
  type: row.type,
  actor: row.actor as AuditEvent['actor'],
  targets: row.targets as AuditEvent['targets'],
  outcome: row.outcome as AuditEvent['outcome'],
  request_id: row.request_id,
  rule_ids: row.rule_ids,
  session_id: row.session_id,
  client_address: row.client_address,
  details: row.details,
});
