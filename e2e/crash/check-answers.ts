import type { AccessRequest, AuditEvent, Session } from '@postern/shared';
import { expect } from 'vitest';
import { LOSSES } from './faults.ts';
import { type Journal, missing, seqOf } from './journal.ts';
import { list, type Site } from './site.ts';

/** States that a request never leaves. */
const FINAL = ['denied', 'canceled', 'expired', 'ended', 'revoked', 'failed'];

/**
 * What the service answers now against all that it ever acknowledged. Events are read
 * before sessions, sessions before requests: what one names, the next must show.
 */
export async function checkAnswers(site: Site): Promise<void> {
  const { uma } = site.people;
  const journal = site.journal.snapshot();
  const events = await list<AuditEvent>(site, uma, '/audit/events?limit=500');
  const sessions = await list<Session>(site, uma, '/sessions?view=all&limit=500');
  const requests = await list<AccessRequest>(site, uma, '/access_requests?view=all&limit=500');
  checkEvents(journal, events);
  checkRequests(journal, requests, events);
  checkSessions(journal, sessions, requests, events);
}

/** Something that was never acknowledged must be missed, or nothing that is lost would be. */
export async function checkLossesAreSeen(site: Site): Promise<void> {
  for (const [what, lose] of Object.entries(LOSSES)) {
    const journal = site.journal.snapshot();
    lose(journal);
    await expect(checkAnswers({ ...site, journal }), `lost on purpose: ${what}`).rejects.toThrow();
  }
}

function checkEvents(journal: Journal, events: readonly AuditEvent[]): void {
  const ids = new Set(events.map((event) => event.id));
  expect(ids.size, 'no event stands twice').toBe(events.length);
  expect(missing(journal.events, ids), 'lost events').toEqual([]);
}

function checkRequests(
  journal: Journal,
  requests: readonly AccessRequest[],
  events: readonly AuditEvent[],
): void {
  const now = new Map(requests.map((request) => [request.id, request]));
  for (const [id, before] of journal.requests) {
    const after = now.get(id);
    if (after === undefined) throw new Error(`acknowledged request ${id} is lost`);
    expect(seqOf(after), `request ${id} went back`).toBeGreaterThanOrEqual(seqOf(before));
    if (seqOf(after) === seqOf(before) || FINAL.includes(before.state))
      expect(after.state, `request ${id}`).toBe(before.state);
    expect(after.decisions, `decisions of ${id}`).toEqual(expect.arrayContaining(before.decisions));
    if (before.approval !== null) expect(after.approval?.id).toBe(before.approval.id);
  }
  for (const { id, state, decisions, approval } of requests) {
    const deciding = decisions.filter((d) => d.decision === 'deny' || d.by.name === 'Dana Reyes');
    const isResolved = state !== 'pending';
    expect(deciding.length, `decisions of ${id}, ${state}`).toBe(isResolved ? 1 : 0);
    expect(approval !== null, `approval of ${id}, ${state}`).toBe(isResolved && state !== 'denied');
  }
  const resolved = count(events, 'access.request.resolve', (event) => event.request_id);
  for (const [id, times] of resolved) expect(times, `request ${id} was resolved`).toBe(1);
}

function checkSessions(
  journal: Journal,
  sessions: readonly Session[],
  requests: readonly AccessRequest[],
  events: readonly AuditEvent[],
): void {
  const now = new Map(sessions.map((session) => [session.id, session]));
  const approved = new Map(requests.map((request) => [request.id, request.approval]));
  const issued = count(events, 'pam.user_creds.issue', (event) => event.session_id);
  for (const id of journal.opened.keys())
    if (!now.has(id)) throw new Error(`acknowledged session ${id} is lost`);
  for (const id of journal.ran) {
    expect(now.get(id)?.admitted_at, `session ${id} ran and was admitted`).not.toBeNull();
    expect(issued.get(id), `session ${id} ran, its admission is on record`).toBe(1);
  }
  for (const [id, times] of issued) {
    const session = now.get(id);
    expect(times, `admissions of session ${id}`).toBe(1);
    expect(session?.admitted_at, `session ${id} is on record as admitted`).not.toBeNull();
    const approval = approved.get(session?.request_id ?? '');
    if (!approval) throw new Error(`session ${id} was admitted without an approval`);
    expect(Date.parse(approval.approved_at)).toBeLessThanOrEqual(
      Date.parse(session?.admitted_at ?? ''),
    );
  }
}

function count(
  events: readonly AuditEvent[],
  type: string,
  of: (event: AuditEvent) => string | null,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const event of events) {
    const id = event.type === type ? of(event) : null;
    if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}
