import type { Answer } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { GatewayTarget } from '../ssh/port.ts';
import type { Nonces } from './nonce.ts';
import type { Picked } from './pick.ts';

/** What opening a session takes besides what is opened. */
export interface Opening {
  readonly nonces: Nonces;
  /** Called while the service opens it, which takes the longest of all answers. */
  meanwhile(): void;
}

export interface Opened {
  readonly session: Answer<'openSession'>['session'];
  readonly target: GatewayTarget;
}

/**
 * Opens a session with a key that is made for it, lives in memory only, and is proved to
 * be ours by signing team, user, server, account and a nonce of the service.
 */
export async function openSession(
  api: Api,
  { server, method }: Picked,
  { nonces, meanwhile }: Opening,
): Promise<Opened> {
  const [{ nonce, user_id }, { SessionKey }] = await Promise.all([
    nonces.take(),
    import('./session-key.ts'),
  ]);
  const key = new SessionKey();
  const what = {
    server_id: server.id,
    identity: method.identity,
    access_credential: method.access_credential,
    nonce,
  };
  const proof = key.prove({ ...what, team: api.settings.team, user_id });
  const answer = api.call('openSession', {
    body: { ...what, public_key: key.public_line, proof },
  });
  setImmediate(meanwhile);
  const { session, gateway } = await answer;
  return { session, target: { ...gateway, private_key: key.toOpenSsh() } };
}
