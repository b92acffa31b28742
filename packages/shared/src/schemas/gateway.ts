import { type Static, Type } from 'typebox';
import { DateTime, Nullable, Strict, Text, Uuid } from './common.ts';
import { END_REASONS, SshPublicKey } from './session.ts';

export const Gateway = Strict({
  id: Uuid,
  name: Type.String(),
  kind: Type.String(),
  state: Type.String(),
  host: Type.String(),
  port: Type.Integer(),
  host_keys: Type.Array(SshPublicKey),
  enrolled_at: DateTime,
  last_lease_at: Nullable(DateTime),
});

/** The client's SSH authentication as the gateway received it; the service verifies it itself. */
export const Admission = Strict({
  session_id: Uuid,
  /** Base64 of the signed data of RFC 4252 §7, SSH session identifier first. */
  blob: Text(8192),
  /** Base64 of the raw signature (64 bytes, ed25519). */
  signature: Text(512),
  client_address: Text(64),
});
export type Admission = Static<typeof Admission>;

export const Admitted = Strict({
  session_id: Uuid,
  /** Shown to people: who, and where. */
  user_name: Type.String(),
  server_name: Type.String(),
  identity: Type.String(),
  request_id: Nullable(Uuid),
  channels: Type.Array(Type.String()),
  recorded: Type.Boolean(),
  /** On the service's clock at the time of the answer; the gateway counts on its own monotonic one. */
  seconds_left: Type.Number(),
  target: Strict({
    host: Type.String(),
    port: Type.Integer(),
    host_keys: Type.Array(SshPublicKey),
    username: Type.String(),
    allow_local_address: Type.Boolean(),
    credential: Type.Union([
      Strict({ type: Type.Literal('password'), password: Type.String() }),
      Strict({ type: Type.Literal('private_key'), private_key: Type.String() }),
    ]),
  }),
});
export type Admitted = Static<typeof Admitted>;

export const LeaseRequest = Strict({
  sessions: Type.Array(Uuid, { maxItems: 10_000 }),
  /** Where clients reach it, and its host keys: told anew at each renewal. */
  host_keys: Type.Array(SshPublicKey, { minItems: 1, maxItems: 4 }),
});

export const Lease = Strict({
  lease_seconds: Type.Integer(),
  /** A session that is not listed here is not allowed any more. */
  sessions: Type.Array(
    Strict({
      id: Uuid,
      seconds_left: Type.Number(),
    }),
  ),
  /** Those of the asked ones that must end now, with the line its person is shown. */
  cut: Type.Array(Strict({ id: Uuid, reason: Type.String(), message: Type.String() })),
});
export type Lease = Static<typeof Lease>;

/** Where a target is and which host keys it may show: what reaching it needs, logging in apart. */
export const TargetAddress = Strict({
  host: Type.String(),
  port: Type.Integer(),
  host_keys: Type.Array(SshPublicKey),
  allow_local_address: Type.Boolean(),
});
export type TargetAddress = Static<typeof TargetAddress>;

export const GatewaySignal = Type.Union([
  Strict({ type: Type.Literal('hello') }),
  Strict({
    type: Type.Literal('cut'),
    session_id: Uuid,
    reason: Type.String(),
    message: Type.String(),
  }),
  /** The session's end has moved (an extension, or a shortened period). */
  Strict({ type: Type.Literal('deadline'), session_id: Uuid, seconds_left: Type.Number() }),
  /**
   * A session was opened that names this gateway, and waits to be admitted. The gateway may
   * connect to the target, and no further: it holds nothing to log in with.
   */
  Strict({
    type: Type.Literal('opening'),
    session_id: Uuid,
    /** Until it can no longer be admitted. */
    seconds_left: Type.Number(),
    target: TargetAddress,
  }),
]);
export type GatewaySignal = Static<typeof GatewaySignal>;

export const SessionReport = Type.Union([
  Strict({ type: Type.Literal('login') }),
  Strict({
    type: Type.Literal('ended'),
    reason: Type.Union(END_REASONS.map((r) => Type.Literal(r)) as never),
    exit_status: Nullable(Type.Integer()),
    /** SHA-256 (hex) of the finished recording; null when nothing was recorded. */
    recording_sha256: Nullable(Type.String({ pattern: '^[0-9a-f]{64}$' })),
    detail: Nullable(Text(500)),
  }),
]);
export type SessionReport = Static<typeof SessionReport>;

/** First line the gateway child writes to the inherited pipe (JSON, one line). */
export const ChildHello = Strict({
  public_key: SshPublicKey,
  host_keys: Type.Array(SshPublicKey, { minItems: 1, maxItems: 4 }),
  port: Type.Integer({ minimum: 1, maximum: 65535 }),
});
/** What the service answers on the same pipe (JSON, one line). */
export const ChildWelcome = Strict({ gateway_id: Uuid });
