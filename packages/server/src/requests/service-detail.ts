import { type AccessRequestDetail, toRfc3339 } from '@postern/shared';
import { eventsOf } from '../audit/index.ts';
import type { Tx } from '../platform/tx.ts';
import { sessionsOf } from '../sessions/index.ts';
import { composeHistory, type Escalation } from './history.ts';
import { loadCircumstances } from './service-load.ts';
import { describeRequest } from './service-view.ts';
import { findRequest, type RequestRow } from './store.ts';
import { historyOf, namesOf } from './store-card.ts';
import { membershipsOfRequest } from './store-memberships.ts';

/** A request with everything that is kept of it: all of one moment. */
export async function describeInFull(tx: Tx, row: RequestRow): Promise<AccessRequestDetail> {
  for (let before = row; ; ) {
    const request = await describeRequest(tx, before);
    const detail = {
      ...request,
      history: await historyFor(tx, before),
      sessions: await sessionsOf(tx, row.id),
      memberships: (await membershipsOfRequest(tx.sql, row.id)).map((m) => ({
        group: { id: m.id, name: m.name },
        added_at: toRfc3339(m.created_at),
        expires_at: toRfc3339(m.expires_at!),
        removed_at: m.ended_at === null ? null : toRfc3339(m.ended_at),
      })),
    };
    const now = await findRequest(tx.sql, row.id);
    if (now === undefined || String(now.seq) === request.etag) return detail;
    before = now;
  }
}

async function historyFor(tx: Tx, row: RequestRow): Promise<AccessRequestDetail['history']> {
  const { decisions, circumstances } = await loadCircumstances(tx, row);
  const changes = await historyOf(tx.sql, row.id);
  const entries = composeHistory({
    request: circumstances.request,
    changes: changes.map((c) => ({
      from: c.from_state,
      to: c.to_state,
      at: c.at,
      by: c.actor_id,
    })),
    escalations: await escalationsOf(tx, row.id),
    votes: decisions.map((d) => ({
      step: d.step,
      decision: d.decision,
      by: d.by_user_id,
      at: d.decided_at,
      void: d.voided_at !== null,
    })),
  });
  const names = await namesOf(
    tx.sql,
    entries.map((e) => e.by),
  );
  return entries.map((e) => ({
    ...e,
    at: toRfc3339(e.at),
    by: e.by === null ? null : { id: e.by, name: names.get(e.by) ?? e.by },
  }));
}

/** The request's row keeps which steps were escalated; the log keeps when, and by whom. */
async function escalationsOf(tx: Tx, requestId: string): Promise<Escalation[]> {
  const events = await eventsOf(tx, requestId, 'access.request.escalate');
  return events.map((event) => ({
    step: Number(event.details.step),
    at: event.at,
    by: event.actor.id,
  }));
}
