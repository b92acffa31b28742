import { type Static, Type } from 'typebox';
import { AccessCredential } from './access-request.ts';
import { DateTime, Nullable, Strict, Text, Uuid } from './common.ts';

/** `phr`: phishing-resistant, a passkey and nothing else. `any` is met by both. */
export const Acr = Type.Union([Type.Literal('any'), Type.Literal('phr')]);
export type Acr = Static<typeof Acr>;

/**
 * Asks the caller for MFA, for one thing that he is told: a connection (server, identity and
 * credential, as in an access method), or a decision on an access request. One of the two.
 */
export const NewMfaApproval = Strict({
  acr: Acr,
  server_id: Type.Optional(Uuid),
  identity: Type.Optional(Text(128)),
  access_credential: Type.Optional(AccessCredential),
  request_id: Type.Optional(Uuid),
});
export type NewMfaApproval = Static<typeof NewMfaApproval>;

export const MfaApproval = Strict({
  mfa_id: Uuid,
  /** The page on which the person proves himself; null: this service has none. Holds a secret. */
  redirect_url: Nullable(Type.String()),
  polling_url: Type.String(),
  expires_at: DateTime,
  /** A one-time code does, and the person has an authenticator app: it may be sent by itself. */
  takes_code: Type.Boolean(),
});
export type MfaApproval = Static<typeof MfaApproval>;

export const MfaApprovalState = Strict({
  state: Type.Union([
    Type.Literal('pending'),
    Type.Literal('approved'),
    Type.Literal('expired'),
    /** Too many wrong codes: ask for a new one. */
    Type.Literal('failed'),
  ]),
});
export type MfaApprovalState = Static<typeof MfaApprovalState>;

export const OneTimeCode = Strict({ code: Type.String({ pattern: '^[0-9]{6}$' }) });

export const OneTimeCodeAnswer = Strict({
  state: MfaApprovalState.properties.state,
  /** How many wrong codes it still takes. */
  tries_left: Type.Integer(),
});
export type OneTimeCodeAnswer = Static<typeof OneTimeCodeAnswer>;
