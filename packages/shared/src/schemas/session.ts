import { type Static, Type } from 'typebox';
import { AccessCredential } from './access-request.ts';
import { DateTime, Named, Nullable, Strict, Text, Uuid } from './common.ts';

/** A one-line OpenSSH public key, canonical form. */
export const SshPublicKey = Type.String({ minLength: 20, maxLength: 2000 });

export const OpenSession = Strict({
  server_id: Uuid,
  identity: Text(128),
  access_credential: AccessCredential,
  /** Fresh ed25519 key: it serves this one session. */
  public_key: SshPublicKey,
  nonce: Text(128),
  /** Base64 ed25519 signature over `sessionProofBytes`. */
  proof: Text(256),
});
export type OpenSession = Static<typeof OpenSession>;

export const Session = Strict({
  id: Uuid,
  state: Type.String(),
  user: Named,
  server: Named,
  server_id: Uuid,
  identity: Type.String(),
  request_id: Nullable(Uuid),
  rule_ids: Type.Array(Uuid),
  recorded: Type.Boolean(),
  channels: Type.Array(Type.String()),
  opened_at: DateTime,
  admitted_at: Nullable(DateTime),
  expires_at: DateTime,
  admit_before: DateTime,
  ended_at: Nullable(DateTime),
  end_reason: Nullable(Type.String()),
  exit_status: Nullable(Type.Integer()),
});
export type Session = Static<typeof Session>;

export const OpenedSession = Strict({
  session: Session,
  gateway: Strict({
    host: Type.String(),
    port: Type.Integer(),
    /** The SSH user name at the gateway: the session's id. */
    username: Uuid,
    host_keys: Type.Array(SshPublicKey),
  }),
});
export type OpenedSession = Static<typeof OpenedSession>;

/** Why a session ended, as the gateway reports it or the service decides it. */
export const END_REASONS = [
  'client_closed',
  'target_closed',
  'target_unreachable',
  'target_auth_failed',
  'host_key_mismatch',
  'recording_failed',
  'expired',
  'revoked',
  'dropped',
  'policy_changed',
  'user_disabled',
  'token_revoked',
  'server_changed',
  'terminated',
  'lease_lost',
  'gateway_stopped',
  'gateway_disabled',
  'keepalive_lost',
  'limit_exceeded',
  'protocol_error',
] as const;
export type EndReason = (typeof END_REASONS)[number];
