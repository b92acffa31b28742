import { type KeyObject, randomBytes, sign } from 'node:crypto';
import {
  generateEd25519,
  instant,
  parsePublicKey,
  signRequest,
  signSessionProof,
  wireString,
} from '@postern/shared';
import type { LightMyRequestResponse } from 'fastify';
import { enrolChild } from '../../src/gateways/index.ts';
import type { Kit } from './index.ts';
import { must, PREFIX, TEAM, type TestService, type Tokens } from './service.ts';

export interface SessionKey {
  readonly private: KeyObject;
  readonly public_line: string;
}

interface Method {
  readonly server_id: string;
  readonly identity: string;
  readonly access_credential: { type: 'vaulted_account'; account_id: string };
}

/** Opens a session as the client does: nonce, fresh key, proof. */
export async function openAs(
  service: TestService,
  token: string,
  method: Record<string, unknown>,
  change: (body: Record<string, unknown>) => Record<string, unknown> = (body) => body,
): Promise<{ response: LightMyRequestResponse; key: SessionKey }> {
  const key = generateEd25519();
  const { server_id, identity, access_credential } = method as unknown as Method;
  const me = must(await service.call(token, 'GET', '/whoami')) as { user: { id: string } };
  const { nonce } = must(await service.call(token, 'POST', '/sessions/nonce')) as { nonce: string };
  const proof = signSessionProof(
    {
      team: TEAM,
      user_id: me.user.id,
      server_id,
      identity,
      access_credential,
      nonce,
      public_key: key.public_line,
    },
    key.private,
  );
  const body = {
    server_id,
    identity,
    access_credential,
    public_key: key.public_line,
    nonce,
    proof,
  };
  return { response: await service.call(token, 'POST', '/sessions', change(body)), key };
}

/** What a gateway forwards of an SSH login with that key (RFC 4252 §7). */
export function signIn(sessionId: string, key: SessionKey, user = sessionId) {
  const parsed = parsePublicKey(key.public_line);
  if (!parsed.ok) throw new Error(parsed.reason);
  const blob = Buffer.concat([
    wireString(randomBytes(32)),
    Buffer.from([50]),
    ...[user, 'ssh-connection', 'publickey'].map((text) => wireString(text)),
    Buffer.from([1]),
    wireString('ssh-ed25519'),
    wireString(parsed.value.blob),
  ]);
  return {
    session_id: sessionId,
    blob: blob.toString('base64'),
    signature: sign(null, blob, key.private).toString('base64'),
    client_address: '127.0.0.1',
  };
}

export interface TestGateway {
  readonly id: string;
  readonly private: KeyObject;
  call(method: 'GET' | 'POST', path: string, body: unknown): Promise<LightMyRequestResponse>;
  /** Renews its lease for these sessions: without that no session is opened through it after 15 s. */
  renew(sessions?: readonly string[]): Promise<LightMyRequestResponse>;
}

/** A gateway as the service knows it, enrolled as a child, its lease renewed. */
export async function enrolTestGateway(
  kit: Kit,
  service: TestService,
  _tokens: Tokens,
  name = 'test',
): Promise<TestGateway> {
  const own = generateEd25519();
  const host = generateEd25519();
  const row = await kit.transact((tx) =>
    enrolChild(tx, {
      name,
      public_key: own.public_line,
      host_keys: [host.public_line],
      host: '127.0.0.1',
      port: 2022,
    }),
  );
  const call: TestGateway['call'] = (method, path, body) => {
    const payload = Buffer.from(JSON.stringify(body));
    const headers = signedHeaders(kit, { id: row.id, private: own.private }, method, path, payload);
    return service.app.inject({
      method,
      url: PREFIX + path,
      headers: { ...headers, 'content-type': 'application/json' },
      payload,
    });
  };
  const renew: TestGateway['renew'] = (sessions = []) =>
    call('POST', '/gateway/lease', { sessions, host_keys: [host.public_line] });
  must(await renew());
  return { id: row.id, private: own.private, call, renew };
}

/** What a gateway signs a call with (RFC 9421); each signature serves once. */
export const signedHeaders = (
  kit: Kit,
  gateway: Pick<TestGateway, 'id' | 'private'>,
  method: string,
  path: string,
  body: Buffer,
): Record<string, string> => ({
  ...signRequest({
    method,
    path: PREFIX + path,
    query: '',
    body,
    keyid: gateway.id,
    key: gateway.private,
    created: instant(kit.clock.now()),
    nonce: randomBytes(16).toString('base64url'),
  }),
});
