import type { Seconds } from '@postern/shared';
import { SUCCESS, SYSTEM } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { json } from '../platform/columns.ts';
import { lockDeciding } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { approvalUsed, bestAllowed, evaluateFresh, isRecorded } from '../policy/index.ts';
import { type CutReason, cutState, sessionEnd } from './model.ts';
import {
  bindingOf,
  hasEnded,
  lockApproval,
  lockSession,
  moveSession,
  namesOf,
  openSessions,
  type SessionFilter,
  type SessionRow,
  tokenWasRevoked,
} from './store.ts';

/** What an event of a session names. */
export async function sessionTargets(tx: Tx, row: SessionRow): Promise<EventReference[]> {
  const names = (await namesOf(tx.sql, [row]))(row);
  return [
    { type: 'session', id: row.id, name: null },
    { type: 'user', id: row.user_id, name: names.user },
    { type: 'server', id: row.server_id, name: names.server },
    { type: 'account', id: row.account_id, name: row.identity },
  ];
}

/** Cuts one session, if it is still opening or live; its gateway hears of it when this commits. */
export async function cutSession(
  tx: Tx,
  row: SessionRow,
  reason: CutReason,
  actor: EventReference = SYSTEM,
): Promise<SessionRow | undefined> {
  // Locked first: an admission that is under way makes it live, or has not happened.
  const state = (await lockSession(tx.sql, row.id))?.state;
  if (state !== 'opening' && state !== 'live') return undefined;
  const moved = await moveSession(tx.sql, row.id, [state], {
    state: cutState(state),
    ended_at: tx.now,
    end_reason: reason,
  });
  if (moved === undefined) return undefined;
  await tx.audit({
    type: reason === 'terminated' ? 'pam.session.terminate' : 'pam.session.cut',
    actor,
    targets: await sessionTargets(tx, row),
    outcome: SUCCESS,
    request_id: row.request_id,
    rule_ids: row.rule_ids,
    session_id: row.id,
    details: { reason },
  });
  await tx.signal({ kind: 'session', id: row.id });
  return moved;
}

/** Cuts every open session that the filter names, in the caller's transaction and under its locks. */
export async function cutSessions(
  tx: Tx,
  filter: SessionFilter,
  reason: CutReason,
): Promise<number> {
  const rows = await openSessions(tx.sql, filter);
  for (const row of rows) await cutSession(tx, row, reason);
  return rows.length;
}

/**
 * Evaluates an open session again, as things are now: still allowed, with as many
 * channels, and recorded if that is demanded? Then its end may move, either way; else it is cut.
 * The same evaluation as at opening, but that the rules which opened it ask no MFA again.
 */
export async function reviewSession(tx: Tx, longest: Seconds, id: string): Promise<void> {
  const [seen] = await openSessions(tx.sql, { id });
  if (seen === undefined) return;
  await lockDeciding(tx.sql, [seen.user_id, seen.server_id]);
  // Before the session, as whoever revokes takes them.
  if (seen.request_id !== null) await lockApproval(tx.sql, seen.request_id);
  const [row] = await openSessions(tx.sql, { id });
  if (row === undefined) return;
  const evaluation = await evaluateFresh(tx, {
    user_id: row.user_id,
    server_id: row.server_id,
    client_address: row.client_address ?? undefined,
    ...(row.token_id === null ? {} : { login: { token_id: row.token_id, session_id: row.id } }),
    ...(row.state === 'live' ? { opened_by: row.rule_ids } : {}),
    binding: await bindingOf(tx.sql, row),
  });
  if (evaluation === undefined || evaluation.server.state !== 'ACTIVE')
    return void (await cutSession(tx, row, 'server_changed'));
  if (evaluation.user.status !== 'ACTIVE') return void (await cutSession(tx, row, 'user_disabled'));
  if (row.token_id === null || (await tokenWasRevoked(tx.sql, row.token_id)))
    return void (await cutSession(tx, row, 'token_revoked'));
  if (evaluation.server.identity_revision !== row.server_identity_revision)
    return void (await cutSession(tx, row, 'server_changed'));
  const covering = evaluation.methods.filter(
    (method) =>
      row.channels.every((channel) => (method.channels as readonly string[]).includes(channel)) &&
      // Nothing begins to record a session that is live; one that is opening is asked again.
      (row.recorded || row.state === 'opening' || !isRecorded(method)),
  );
  const method = bestAllowed(covering, {
    identity: row.identity,
    access_credential: credentialOf(row),
  });
  if (method === undefined)
    return void (await cutSession(
      tx,
      row,
      row.expires_at <= tx.now ? 'expired' : 'policy_changed',
    ));
  const expires_at = sessionEnd(row.opened_at, method.session_until, longest);
  const request_id = approvalUsed(method)?.request_id ?? null;
  if (expires_at === row.expires_at && request_id === row.request_id) return;
  // Held until this commits: whoever ends the approval then finds the session under it.
  if (request_id !== null && hasEnded(await lockApproval(tx.sql, request_id)))
    return reviewSession(tx, longest, id);
  await moveSession(tx.sql, id, [row.state], {
    expires_at,
    request_id,
    rule_ids: json(method.rule_ids),
  });
  await tx.signal({ kind: 'session', id });
}

export const credentialOf = (row: SessionRow) =>
  row.credential_type === 'vaulted_account'
    ? ({ type: 'vaulted_account', account_id: row.account_id ?? '' } as const)
    : ({ type: 'principal_account', admin_level_permissions: row.admin_level } as const);
