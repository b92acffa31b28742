import { type GatewaySignal, type Instant, parsePublicKey } from '@postern/shared';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import {
  cutMessage,
  findSession,
  type GatewayCaller,
  type SessionRow,
  secondsLeft,
  targetOf,
} from '../sessions/index.ts';
import { touchLease } from './store.ts';

/** What a change of a session means for its gateway; undefined: nothing, or not its session. */
export async function readSignal(
  tx: Tx,
  gateway: GatewayCaller,
  sessionId: string,
): Promise<GatewaySignal | undefined> {
  const row = await findSession(tx.sql, sessionId);
  if (row?.gateway_id !== gateway.gateway_id) return undefined;
  if (row.state === 'live')
    return { type: 'deadline', session_id: row.id, seconds_left: secondsLeft(row, tx.now) };
  if (row.state === 'opening') return openingOf(tx, row);
  const reason = row.end_reason ?? 'terminated';
  return { type: 'cut', session_id: row.id, reason, message: cutMessage(reason) };
}

/** A change that is heard later than this after the opening is not the opening. */
const OPENING_MS = 5_000;

/** So that the gateway can reach the target while the client is on its way: an address, no account. */
async function openingOf(tx: Tx, row: SessionRow): Promise<GatewaySignal | undefined> {
  if (!isJustOpened(row, tx.now)) return undefined;
  const target = await targetOf(tx.sql, row.server_id);
  if (target?.identity_revision !== row.server_identity_revision) return undefined;
  return {
    type: 'opening',
    session_id: row.id,
    seconds_left: (row.admit_before - tx.now) / 1000,
    target: {
      host: target.access_address,
      port: target.access_port,
      host_keys: target.host_keys,
      allow_local_address: target.allow_local_address,
    },
  };
}

const isJustOpened = (row: SessionRow, now: Instant): boolean =>
  now - row.opened_at < OPENING_MS && now < row.admit_before;

export async function recordLease(
  tx: Tx,
  gateway: GatewayCaller,
  hostKeys: readonly string[],
): Promise<void> {
  const lines = hostKeys.map((line) => {
    const key = parsePublicKey(line);
    if (!key.ok) throw new Refusal('invalid_request', 'A host key is not an OpenSSH public key.');
    return key.value.line;
  });
  await touchLease(tx.sql, gateway.gateway_id, tx.now, lines);
}
