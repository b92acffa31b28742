import { type Static, Type } from 'typebox';
import { Named, Nullable, Strict, Text, Uuid } from './common.ts';

/**
 * A security policy as it is stored and answered. Names are those of Okta's public API
 * (`selector_type`, `privilege_type`, `condition_type`, …); its `_type`, `selector`,
 * `privilege_value` and `condition_value` wrappers are left out, so that a policy reads
 * well as YAML. What a person writes may name a thing by `{name}` or `{id}`, may leave out
 * what has a default, and is checked by the service, which answers one error per fault.
 */

export const Channel = Type.Union([
  Type.Literal('shell'),
  Type.Literal('exec'),
  Type.Literal('sftp'),
  Type.Literal('local_forward'),
  Type.Literal('remote_forward'),
]);
export type Channel = Static<typeof Channel>;

const Channels = Type.Array(Channel, { minItems: 1, maxItems: 5, uniqueItems: true });

const SelectorLabels = Type.Record(Text(128), Text(256), { minProperties: 1, maxProperties: 20 });

/** `selector_type` says which servers, and which vaulted accounts on them, a rule is about. */
export const Selector = Type.Union([
  /** That server; no vaulted account of it. */
  Strict({ selector_type: Type.Literal('individual_server'), server: Named }),
  /** That vaulted account; not the server for principal accounts. */
  Strict({
    selector_type: Type.Literal('individual_server_account'),
    server: Named,
    username: Text(64),
  }),
  /** Every server that has all the labels, and on each the vaulted accounts named. */
  Strict({
    selector_type: Type.Literal('server_label'),
    server_selector: Strict({ labels: SelectorLabels }),
    account_selector_type: Type.Literal('username'),
    account_selector: Strict({ usernames: Type.Array(Text(64), { minItems: 1, maxItems: 100 }) }),
  }),
  /** Every server that has all the labels; no vaulted account. */
  Strict({
    selector_type: Type.Literal('server_label'),
    server_selector: Strict({ labels: SelectorLabels }),
    account_selector_type: Type.Literal('none'),
  }),
]);
export type Selector = Static<typeof Selector>;

export const Privilege = Type.Union([
  Strict({
    privilege_type: Type.Literal('principal_account_ssh'),
    admin_level_permissions: Type.Boolean(),
    channels: Channels,
  }),
  /** Okta's `password_checkout_ssh` is read as this. */
  Strict({ privilege_type: Type.Literal('vaulted_account_ssh'), channels: Channels }),
  Strict({ privilege_type: Type.Literal('reveal_password') }),
  Strict({ privilege_type: Type.Literal('rotate_password') }),
]);
export type Privilege = Static<typeof Privilege>;

export const Weekday = Type.Union([
  Type.Literal('mon'),
  Type.Literal('tue'),
  Type.Literal('wed'),
  Type.Literal('thu'),
  Type.Literal('fri'),
  Type.Literal('sat'),
  Type.Literal('sun'),
]);
export type Weekday = Static<typeof Weekday>;

/** `HH:MM`, or `24:00` for the end of a day. */
const TimeOfDay = Type.String({ pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$' });

export const Condition = Type.Union([
  Strict({
    condition_type: Type.Literal('access_request'),
    request_type: Named,
    expires_after_seconds: Type.Integer({ minimum: 60, maximum: 2_592_000 }),
  }),
  Strict({
    condition_type: Type.Literal('mfa'),
    /** 0: a proof for every connection. */
    re_auth_frequency_in_seconds: Type.Integer({ minimum: 0, maximum: 86_400 }),
    acr_values: Type.Union([Type.Literal('any'), Type.Literal('phr')]),
  }),
  Strict({
    condition_type: Type.Literal('gateway'),
    traffic_forwarding: Type.Boolean(),
    session_recording: Type.Boolean(),
  }),
  Strict({
    condition_type: Type.Literal('time_window'),
    /** IANA name. */
    zone: Text(64),
    /** Days on which the window starts. */
    days: Type.Array(Weekday, { minItems: 1, maxItems: 7, uniqueItems: true }),
    from: TimeOfDay,
    /** Earlier than `from`: on the next day. */
    to: TimeOfDay,
  }),
  Strict({
    condition_type: Type.Literal('source_address'),
    cidrs: Type.Array(Text(64), { minItems: 1, maxItems: 100, uniqueItems: true }),
  }),
]);
export type Condition = Static<typeof Condition>;

export const PolicyRule = Strict({
  id: Uuid,
  name: Text(200),
  resource_type: Type.Literal('server_based_resource'),
  resource_selector: Strict({
    selectors: Type.Array(Selector, { minItems: 1, maxItems: 100 }),
  }),
  privileges: Type.Array(Privilege, { minItems: 1, maxItems: 4 }),
  conditions: Type.Array(Condition, { maxItems: 5 }),
  override_checkout_duration_in_seconds: Nullable(Type.Integer({ minimum: 60 })),
});
export type PolicyRule = Static<typeof PolicyRule>;

export const SecurityPolicy = Strict({
  id: Uuid,
  name: Text(200),
  description: Text(2000, 0),
  active: Type.Boolean(),
  principals: Strict({ user_groups: Type.Array(Named, { minItems: 1, maxItems: 100 }) }),
  /** null: servers of every resource group. */
  resource_group: Nullable(Named),
  rules: Type.Array(PolicyRule, { minItems: 1, maxItems: 20 }),
});
export type SecurityPolicy = Static<typeof SecurityPolicy>;
