import type { Answer } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { GatewayTarget } from '../ssh/port.ts';
import type { Picked } from './pick.ts';

export interface Opened {
  readonly session: Answer<'openSession'>['session'];
  readonly target: GatewayTarget;
}

/**
 * Opens a session with a key that is made for it, lives in memory only, and is proved to
 * be ours by signing team, user, server, account and a nonce of the service.
 */
export async function openSession(api: Api, { server, method }: Picked): Promise<Opened> {
  const [{ nonce, user_id }, { SessionKey }] = await Promise.all([
    api.call('createSessionNonce', {}),
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
  const { session, gateway } = await api.call('openSession', {
    body: { ...what, public_key: key.public_line, proof },
  });
  return { session, target: { ...gateway, private_key: key.toOpenSsh() } };
}
