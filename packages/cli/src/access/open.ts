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
  const [{ generateEd25519, signSessionProof, toOpenSshPrivateKey }, who, { nonce }] =
    await Promise.all([
      import('@postern/shared'),
      api.call('whoami', {}),
      api.call('createSessionNonce', {}),
    ]);
  const key = generateEd25519();
  const what = {
    server_id: server.id,
    identity: method.identity,
    access_credential: method.access_credential,
    nonce,
    public_key: key.public_line,
  };
  const proof = signSessionProof(
    { ...what, team: api.settings.team, user_id: who.user.id },
    key.private,
  );
  const { session, gateway } = await api.call('openSession', { body: { ...what, proof } });
  return { session, target: { ...gateway, private_key: toOpenSshPrivateKey(key.private) } };
}
