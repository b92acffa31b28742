import { type Static, Type } from 'typebox';
import { AccessCredential } from './access-request.ts';
import { DateTime, Named, Nullable, Strict, Uuid } from './common.ts';
import { Channel, Weekday } from './policy.ts';

/** What every condition says of itself. `expires_at`: until when it stays met; null: no end, or not met. */
const common = {
  condition_is_met: Type.Boolean(),
  description: Type.String(),
  expires_at: Nullable(DateTime),
};

/** One condition of an access method, evaluated. */
export const Conditional = Type.Union([
  Strict({
    type: Type.Literal('access_request'),
    ...common,
    request_type: Named,
    expires_after_seconds: Type.Integer(),
    /** The approval that meets it, and the access request it came from. */
    approval_id: Nullable(Uuid),
    request_id: Nullable(Uuid),
    /** The caller's pending access request that would meet it. */
    pending_request_id: Nullable(Uuid),
  }),
  Strict({
    type: Type.Literal('mfa'),
    ...common,
    re_auth_frequency_in_seconds: Type.Integer(),
    acr_values: Type.Union([Type.Literal('any'), Type.Literal('phr')]),
  }),
  Strict({
    type: Type.Literal('gateway'),
    ...common,
    traffic_forwarding: Type.Boolean(),
    session_recording: Type.Boolean(),
  }),
  Strict({
    type: Type.Literal('time_window'),
    ...common,
    zone: Type.String(),
    days: Type.Array(Weekday),
    from: Type.String(),
    to: Type.String(),
  }),
  Strict({
    type: Type.Literal('source_address'),
    ...common,
    cidrs: Type.Array(Type.String()),
  }),
]);
export type Conditional = Static<typeof Conditional>;

export const ResourceStatus = Type.Union([
  Type.Literal('available'),
  /** By the caller. */
  Type.Literal('checked_out'),
  Type.Literal('checked_out_by_other_user'),
  Type.Literal('unavailable'),
]);
export type ResourceStatus = Static<typeof ResourceStatus>;

/** One way for one person into one server. It has no id: whoever uses it evaluates again. */
export const AccessMethod = Strict({
  server_id: Uuid,
  /** The login name on the target. */
  identity: Type.String(),
  access_credential: AccessCredential,
  privilege: Type.Union([
    Type.Literal('principal_account_ssh'),
    Type.Literal('vaulted_account_ssh'),
  ]),
  channels: Type.Array(Channel),
  /** Every condition is met and the account can be had now. */
  allowed: Type.Boolean(),
  /** Until when it stays allowed; null: no end, or not allowed. */
  expires_at: Nullable(DateTime),
  resource_status: ResourceStatus,
  rule_ids: Type.Array(Uuid),
  conditionals: Type.Array(Conditional),
});
export type AccessMethod = Static<typeof AccessMethod>;
