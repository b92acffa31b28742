import { type Instant, type Relation, type Session, toRfc3339 } from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { userRef } from '../platform/actor.ts';
import { Refusal } from '../platform/errors.ts';
import type { PageRequest } from '../platform/paging.ts';
import type { Tx } from '../platform/tx.ts';
import { cutSession } from './service-cut.ts';
import {
  findSession,
  listSessionRows,
  lockSession,
  namesOf,
  openSessions,
  type SessionRow,
} from './store.ts';

const orNull = (at: Instant | null): string | null => (at === null ? null : toRfc3339(at));

export async function describeSessions(tx: Tx, rows: readonly SessionRow[]): Promise<Session[]> {
  const names = await namesOf(tx.sql, rows);
  return rows.map((row) => ({
    id: row.id,
    state: row.state,
    user: { id: row.user_id, name: names(row).user },
    server: { id: row.server_id, name: names(row).server },
    server_id: row.server_id,
    identity: row.identity,
    request_id: row.request_id,
    rule_ids: row.rule_ids,
    recorded: row.recorded,
    channels: row.channels,
    opened_at: toRfc3339(row.opened_at),
    admitted_at: orNull(row.admitted_at),
    expires_at: toRfc3339(row.expires_at),
    admit_before: toRfc3339(row.admit_before),
    ended_at: orNull(row.ended_at),
    end_reason: row.end_reason,
    exit_status: row.exit_status,
  }));
}

export async function describeSession(tx: Tx, row: SessionRow): Promise<Session> {
  const [session] = await describeSessions(tx, [row]);
  return session!;
}

/** Who has which account of a server open now, the longest first. */
export async function sessionsOn(tx: Tx, server_id: string) {
  const rows = await openSessions(tx.sql, { server_id });
  const names = await namesOf(tx.sql, rows);
  return rows.map((row) => ({
    user: names(row).user,
    identity: row.identity,
    since: row.opened_at,
  }));
}

/** More were not opened by one request before somebody looked. */
const MOST_OF_A_REQUEST = 500;

/** The sessions that an access request opened, oldest first. */
export async function sessionsOf(tx: Tx, request_id: string): Promise<Session[]> {
  const rows = await listSessionRows(tx.sql, { request_id, limit: MOST_OF_A_REQUEST });
  return describeSessions(tx, rows.reverse());
}

export async function findVisibleSession(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<SessionRow> {
  const row = await findSession(tx.sql, id);
  const visible =
    relations.has('any') || (relations.has('self') && row?.user_id === caller.user_id);
  if (row === undefined || !visible)
    throw new Refusal('not_found', 'There is no such session, or it is not yours to see.', {
      next: 'See your sessions: sft request list',
    });
  return row;
}

export interface SessionQuery extends PageRequest {
  readonly view?: 'mine' | 'all';
  readonly state?: string;
  readonly request_id?: string;
}

/** Newest first, one more than the page holds when there is a next one. */
export async function listSessions(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  query: SessionQuery,
): Promise<Session[]> {
  const all = query.view === 'all';
  if (all && !relations.has('any'))
    throw new Refusal('not_permitted', 'Only an auditor or security_admin sees all sessions.', {
      next: 'Leave out view=all to see your own.',
    });
  const rows = await listSessionRows(tx.sql, {
    limit: query.limit,
    ...(all ? {} : { user_id: caller.user_id }),
    ...(query.state === undefined ? {} : { state: query.state }),
    ...(query.request_id === undefined ? {} : { request_id: query.request_id }),
    ...(query.after === undefined ? {} : { before: query.after }),
  });
  return describeSessions(tx, rows);
}

export async function terminateSession(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
): Promise<Session> {
  await findVisibleSession(tx, caller, relations, id);
  const row = await lockSession(tx.sql, id);
  const cut =
    row !== undefined && (row.state === 'opening' || row.state === 'live')
      ? await cutSession(tx, row, 'terminated', userRef(caller))
      : undefined;
  if (cut === undefined)
    throw new Refusal('state_conflict', `The session is ${row?.state}; there is nothing to end.`);
  return describeSession(tx, cut);
}
