import type { Tx } from '../platform/tx.ts';
import { rememberClient } from './service-attempts.ts';
import type { Arrival } from './service-login.ts';
import { type Shown, startLogin } from './service-sessions.ts';

/**
 * Logs in somebody who has shown elsewhere that it is him: at the time, and in the way, that it
 * says. The caller holds his lock and has checked all of it.
 *
 * @returns values of cookies
 */
export async function startUpstreamLogin(
  tx: Tx,
  user: { readonly id: string; readonly name: string },
  shown: Omit<Shown, 'proved_at'>,
  issuedBy: string | null,
  from: Arrival,
): Promise<{ readonly login: string; readonly device: string }> {
  const device = from.device ?? from.new_device;
  await rememberClient(tx, user.id, { address: from.address, device });
  const like = { ...shown, proved_at: shown.auth_time };
  return { login: await startLogin(tx, user, { like }, issuedBy, from), device };
}
