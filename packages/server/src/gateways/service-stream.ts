import { type GatewaySignal, parsePublicKey } from '@postern/shared';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { cutMessage, findSession, type GatewayCaller, secondsLeft } from '../sessions/index.ts';
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
  if (row.state === 'opening') return undefined;
  const reason = row.end_reason ?? 'terminated';
  return { type: 'cut', session_id: row.id, reason, message: cutMessage(reason) };
}

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
