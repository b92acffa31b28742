import {
  type EndReason,
  type Instant,
  type Lease,
  plus,
  type Seconds,
  type SessionReport,
  seconds,
} from '@postern/shared';
import { failure, SUCCESS, SYSTEM } from '../platform/actor.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { CUT_MESSAGES, type CutReason, LEASE_TIME } from './model.ts';
import type { GatewayCaller } from './service-admit.ts';
import { cutSession, reviewSession, sessionTargets } from './service-cut.ts';
import {
  findSession,
  forgetNonces,
  lockSession,
  moveSession,
  openSessions,
  orphanedSessions,
  overdueSessions,
  type SessionRow,
} from './store.ts';

/** Seconds left of a live session, and why it has none. */
export const secondsLeft = (row: SessionRow, now: Instant): number =>
  row.state === 'live' ? Math.max(0, (row.expires_at - now) / 1000) : 0;

export function cutMessage(reason: string | null): string {
  return CUT_MESSAGES[reason as CutReason] ?? 'it is no longer allowed; connect again';
}

/**
 * What the gateway may go on with. A session that it asks about and that is not live any
 * more is cut; one that is live here and that it does not know is lost.
 */
export async function answerLease(
  tx: Tx,
  gateway: GatewayCaller,
  asked: readonly string[],
): Promise<Lease> {
  const open = await openSessions(tx.sql, { gateway_id: gateway.gateway_id });
  const live = new Map(open.filter((row) => row.state === 'live').map((row) => [row.id, row]));
  const sessions: Lease['sessions'] = [];
  const cut: Lease['cut'] = [];
  for (const id of new Set(asked)) {
    const row = live.get(id);
    const left = row === undefined ? 0 : secondsLeft(row, tx.now);
    if (left > 0) sessions.push({ id, seconds_left: left });
    else {
      const reason = row === undefined ? await endReasonOf(tx, gateway, id) : 'expired';
      cut.push({ id, reason, message: cutMessage(reason) });
    }
  }
  const known = new Set(asked);
  const grace = plus(tx.now, seconds(-LEASE_TIME));
  for (const row of live.values())
    if (!known.has(row.id) && row.admitted_at !== null && row.admitted_at < grace)
      await lose(tx, row);
  return { lease_seconds: LEASE_TIME, sessions, cut };
}

async function endReasonOf(tx: Tx, gateway: GatewayCaller, id: string): Promise<string> {
  const row = await findSession(tx.sql, id);
  return row?.gateway_id === gateway.gateway_id ? (row.end_reason ?? 'terminated') : 'terminated';
}

/** Its gateway does not know it any more: nobody can say how it ended. */
async function lose(tx: Tx, row: SessionRow): Promise<void> {
  const moved = await moveSession(tx.sql, row.id, ['live'], {
    state: 'lost',
    ended_at: tx.now,
    end_reason: 'lease_lost',
  });
  if (moved === undefined) return;
  await tx.audit({
    type: 'pam.session.end',
    actor: SYSTEM,
    targets: await sessionTargets(tx, row),
    outcome: failure('lease_lost'),
    request_id: row.request_id,
    session_id: row.id,
  });
  await tx.signal({ kind: 'session', id: row.id });
}

/** What a gateway tells of its own session: it logged in at its target, or it ended. */
export async function takeReport(
  tx: Tx,
  gateway: GatewayCaller,
  id: string,
  report: SessionReport,
): Promise<void> {
  // Locked, so that a cut that comes meanwhile stays one.
  const row = await lockSession(tx.sql, id);
  if (row === undefined || row.gateway_id !== gateway.gateway_id)
    throw new Refusal('not_found', 'There is no such session.');
  const actor = { type: 'gateway', id: gateway.gateway_id, name: gateway.name };
  const about = {
    actor,
    targets: await sessionTargets(tx, row),
    request_id: row.request_id,
    rule_ids: row.rule_ids,
    session_id: row.id,
    client_address: row.client_address,
  };
  if (report.type === 'login') {
    if (row.login_at !== null || row.state !== 'live') return;
    await moveSession(tx.sql, id, ['live'], { login_at: tx.now });
    await tx.audit({ ...about, type: 'pam.server.ssh_login', outcome: SUCCESS });
    return;
  }
  // Told twice, or after it was cut: what is missing of the record is filled in, once.
  if (row.state !== 'live' && row.recording_sha256 !== null) return;
  const moved = await moveSession(tx.sql, id, ['live', 'cut', 'lost'], {
    exit_status: storedStatus(report.exit_status),
    recording_sha256: report.recording_sha256,
    ...(row.state === 'live'
      ? { state: 'ended' as const, ended_at: tx.now, end_reason: report.reason }
      : {}),
  });
  // It was never live, or its end is on record.
  if (moved === undefined) return;
  await tx.audit({
    ...about,
    type: 'pam.session.end',
    outcome: FAULTS.has(report.reason) ? failure(report.reason) : SUCCESS,
    details: {
      reason: report.reason,
      exit_status: report.exit_status,
      recording_sha256: report.recording_sha256,
      detail: report.detail,
    },
  });
  await tx.signal({ kind: 'session', id });
}

/** SSH has 32 bits without a sign for it (RFC 4254 §6.10), the column 31; the event has it as it came. */
const storedStatus = (status: number | null): number | null =>
  status === null ? null : Math.max(0, Math.min(status, 2 ** 31 - 1));

const FAULTS = new Set<EndReason>([
  'target_unreachable',
  'target_auth_failed',
  'host_key_mismatch',
  'recording_failed',
  'lease_lost',
  'protocol_error',
]);

/**
 * What the clock brings to sessions. Idempotent; any replica, any time. One that is over is
 * evaluated once more before it is cut: an approval of the last moment may extend it.
 */
export async function finishOverdue(tx: Tx, longest: Seconds): Promise<void> {
  const overdue = await overdueSessions(tx.sql, tx.now);
  for (const row of overdue.filter(({ state }) => state === 'live')) {
    await reviewSession(tx, longest, row.id);
    const after = await findSession(tx.sql, row.id);
    if (after !== undefined && after.expires_at <= tx.now) await cutSession(tx, after, 'expired');
  }
  // These last: reviewing locks approvals, and whoever ends one may wait for these rows.
  for (const row of overdue.filter(({ state }) => state === 'opening'))
    await moveSession(tx.sql, row.id, ['opening'], {
      state: 'abandoned',
      ended_at: tx.now,
      end_reason: 'expired',
    });
  for (const row of await orphanedSessions(tx.sql, plus(tx.now, seconds(-2 * LEASE_TIME))))
    await lose(tx, row);
  await forgetNonces(tx.sql, tx.now);
}
