import type { Admission, Admitted } from '@postern/shared';
import { instant, verifyUserauth } from '@postern/shared';
import { failure, SUCCESS } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { lockDeciding } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { approvalUsed, bestAllowed, evaluateFresh, isRecorded } from '../policy/index.ts';
import { sessionEnd } from './model.ts';
import { credentialOf, sessionTargets } from './service-cut.ts';
import { refuseEnded } from './service-open.ts';
import type { SessionWorld } from './service-world.ts';
import {
  bindingOf,
  findSession,
  lockApproval,
  lockSession,
  moveSession,
  namesOf,
  type SessionRow,
  targetOf,
  tokenStands,
} from './store.ts';

export interface GatewayCaller {
  readonly gateway_id: string;
  readonly name: string;
}

/** One answer for every fault of an admission: a gateway learns nothing of sessions that are not its own. */
const notAdmitted = () =>
  new Refusal('not_permitted', 'This session is not admitted.', {
    next: 'Open a new session: run the same command again.',
  });

/**
 * Admits an opened session: only through the gateway it names, once, within its minute,
 * for whoever signed this login with its key. Everything is read and evaluated again under
 * the locks, and the event is written in the transaction that must commit before the
 * credential leaves. What was tightened since the session was opened wins.
 *
 * This is the one place that releases a target's credential.
 */
export async function admitSession(
  tx: Tx,
  world: SessionWorld,
  gateway: GatewayCaller,
  input: Admission,
): Promise<Admitted | 'credential_unavailable'> {
  world.clock.assertSafe();
  const row = await lockForAdmission(tx, gateway, input.session_id);
  verifyLogin(row, input);
  if (row.token_id === null || !(await tokenStands(tx.sql, row.token_id, tx.now)))
    throw notAdmitted();
  const evaluation = await evaluateFresh(tx, {
    user_id: row.user_id,
    server_id: row.server_id,
    // Where SSH comes from. Opening looked at where the call came from: both must be allowed.
    client_address: input.client_address,
    // With the proof that opening bound to this session, and no other session's.
    login: { token_id: row.token_id, session_id: row.id },
    binding: await bindingOf(tx.sql, row),
  });
  const method = bestAllowed(evaluation?.methods ?? [], {
    identity: row.identity,
    access_credential: credentialOf(row),
  });
  if (evaluation === undefined || method === undefined) throw notAdmitted();
  if (evaluation.server.identity_revision !== row.server_identity_revision) throw notAdmitted();
  const used = approvalUsed(method);
  if (used !== null) await refuseEnded(tx, used.request_id);
  const target = await targetOf(tx.sql, row.server_id);
  if (target === undefined || target.host_keys.length === 0 || row.account_id === null)
    throw notAdmitted();
  const released = await world.openCredential(tx, row.account_id);
  // Answered, not thrown: what was found out about the secret is committed.
  if (!released.ok) return 'credential_unavailable';
  const opened = new Set(row.channels);
  const channels = method.channels.filter((channel) => opened.has(channel));
  const end = sessionEnd(tx.now, method.session_until, world.longestSession);
  const expires = instant(Math.min(end, row.expires_at));
  const live = await moveSession(tx.sql, row.id, ['opening'], {
    state: 'live',
    admitted_at: tx.now,
    expires_at: expires,
    channels: json(channels),
    rule_ids: json(method.rule_ids),
    recorded: isRecorded(method),
    request_id: used?.request_id ?? null,
    client_address: input.client_address,
  });
  if (live === undefined) throw notAdmitted();
  await tx.audit({
    type: 'pam.user_creds.issue',
    actor: { type: 'gateway', id: gateway.gateway_id, name: gateway.name },
    targets: await sessionTargets(tx, live),
    outcome: SUCCESS,
    request_id: live.request_id,
    rule_ids: live.rule_ids,
    session_id: live.id,
    client_address: input.client_address,
    details: {
      privilege: live.privilege,
      channels,
      expires_at: new Date(expires).toISOString(),
      server_identity_revision: live.server_identity_revision,
    },
  });
  const names = (await namesOf(tx.sql, [live]))(live);
  return {
    session_id: live.id,
    user_name: names.user,
    server_name: names.server,
    identity: live.identity,
    request_id: live.request_id,
    channels,
    recorded: live.recorded,
    seconds_left: (expires - tx.now) / 1000,
    target: {
      host: target.access_address,
      port: target.access_port,
      host_keys: target.host_keys,
      username: live.identity,
      allow_local_address: target.allow_local_address,
      credential: released.credential,
    },
  };
}

/** The session's row, locked after the people and the server: opening, in time, this gateway's. */
async function lockForAdmission(tx: Tx, gateway: GatewayCaller, id: string): Promise<SessionRow> {
  const seen = await findSession(tx.sql, id);
  if (seen === undefined || seen.gateway_id !== gateway.gateway_id) throw notAdmitted();
  await lockDeciding(tx.sql, [seen.user_id, seen.server_id]);
  // Before the session, as whoever revokes takes them: he would wait for us and we for him.
  if (seen.request_id !== null) await lockApproval(tx.sql, seen.request_id);
  const row = await lockSession(tx.sql, id);
  if (row?.state !== 'opening' || tx.now >= row.admit_before) throw notAdmitted();
  return row;
}

function verifyLogin(row: SessionRow, input: Admission): void {
  const verified = verifyUserauth({
    blob: Buffer.from(input.blob, 'base64'),
    signature: Buffer.from(input.signature, 'base64'),
    expected: { user: row.id, public_key: row.public_key },
  });
  if (!verified.ok) throw notAdmitted();
}

/** A refused admission is an event of its own: written after the transaction that refused it. */
export async function recordRefusedAdmission(
  tx: Tx,
  gateway: GatewayCaller,
  input: Admission,
  reason: string,
): Promise<void> {
  const row = await findSession(tx.sql, input.session_id);
  await tx.audit({
    type: 'pam.user_creds.refuse',
    actor: { type: 'gateway', id: gateway.gateway_id, name: gateway.name },
    targets: row === undefined ? [] : await sessionTargets(tx, row),
    outcome: failure(reason),
    session_id: row?.id ?? null,
    request_id: row?.request_id ?? null,
    client_address: input.client_address,
  });
}
