import type { Seconds } from '@postern/shared';

/**
 * The security policy as the core knows it: what the wire schema `SecurityPolicy` says,
 * with branded units. Field names are those of the wire. `validate` is the only way in for
 * what a person wrote; lists are in canonical order, so that equal things are spelled equally.
 */
export interface SecurityPolicy {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** An inactive policy opens nothing. */
  readonly active: boolean;
  readonly principals: { readonly user_groups: readonly Named[] };
  /** null: servers of every resource group. */
  readonly resource_group: Named | null;
  readonly rules: readonly Rule[];
}

/** `id` decides; `name` is for people. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

/** Conditions are ANDed; rules are ORed, and each gives its own option. */
export interface Rule {
  readonly id: string;
  readonly name: string;
  readonly resource_type: 'server_based_resource';
  readonly resource_selector: { readonly selectors: readonly Selector[] };
  readonly privileges: readonly Privilege[];
  readonly conditions: readonly Condition[];
  readonly override_checkout_duration_in_seconds: Seconds | null;
}

/**
 * A selector selects servers, vaulted accounts on them, or both:
 *
 * | selector                    | servers (principal accounts) | vaulted accounts |
 * | --------------------------- | ---------------------------- | ---------------- |
 * | `individual_server`         | that one                     | none             |
 * | `individual_server_account` | none                         | that one         |
 * | `server_label`, `none`      | all with the labels          | none             |
 * | `server_label`, `username`  | all with the labels          | those named      |
 */
export type Selector =
  | { readonly selector_type: 'individual_server'; readonly server: Named }
  | {
      readonly selector_type: 'individual_server_account';
      readonly server: Named;
      readonly username: string;
    }
  | LabelSelector;

export type LabelSelector = {
  readonly selector_type: 'server_label';
  /** ANDed; never empty. */
  readonly server_selector: { readonly labels: Readonly<Record<string, string>> };
} & (
  | { readonly account_selector_type: 'none' }
  | {
      readonly account_selector_type: 'username';
      readonly account_selector: { readonly usernames: readonly string[] };
    }
);

export type Privilege =
  | {
      readonly privilege_type: 'principal_account_ssh';
      /** Log in to the account the server's template names, instead of the person's own. */
      readonly admin_level_permissions: boolean;
      readonly channels: readonly Channel[];
    }
  | { readonly privilege_type: 'vaulted_account_ssh'; readonly channels: readonly Channel[] }
  | { readonly privilege_type: 'reveal_password' }
  | { readonly privilege_type: 'rotate_password' };

/** The privileges that give a way into a server; the others give none. */
export type SshPrivilege = 'principal_account_ssh' | 'vaulted_account_ssh';

export type Condition =
  | {
      readonly condition_type: 'access_request';
      readonly request_type: Named;
      readonly expires_after_seconds: Seconds;
    }
  | {
      readonly condition_type: 'mfa';
      /** 0: a proof for every connection. */
      readonly re_auth_frequency_in_seconds: Seconds;
      /** `phr`: phishing-resistant. */
      readonly acr_values: Acr;
    }
  | {
      readonly condition_type: 'gateway';
      /** The connection passes a gateway. Nothing to do with port forwarding. */
      readonly traffic_forwarding: boolean;
      readonly session_recording: boolean;
    }
  | {
      readonly condition_type: 'time_window';
      /** IANA name. */
      readonly zone: string;
      /** Days on which the window starts. */
      readonly days: readonly Weekday[];
      /** `HH:MM` */
      readonly from: string;
      /** `HH:MM` or `24:00`; earlier than `from`: on the next day. */
      readonly to: string;
    }
  | { readonly condition_type: 'source_address'; readonly cidrs: readonly string[] };

export type ConditionOf<T extends Condition['condition_type']> = Extract<
  Condition,
  { condition_type: T }
>;

export type Acr = 'any' | 'phr';

/** In the order in which every list of channels is written. */
export const CHANNELS = ['shell', 'exec', 'sftp', 'local_forward', 'remote_forward'] as const;
export type Channel = (typeof CHANNELS)[number];

/** What a privilege that names no channels opens. */
export const DEFAULT_CHANNELS: readonly Channel[] = ['shell', 'exec', 'sftp'];

/** In ISO order; index 0 is Monday. */
export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** In the order in which conditions are written, evaluated and shown. */
export const CONDITION_TYPES = [
  'access_request',
  'mfa',
  'gateway',
  'time_window',
  'source_address',
] as const satisfies readonly Condition['condition_type'][];

/** `HH:MM` or `24:00` as minutes from midnight; undefined for anything else. */
export function minutesOf(time: string): number | undefined {
  if (time === '24:00') return 24 * 60;
  const match = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  return match ? Number(match[1]) * 60 + Number(match[2]) : undefined;
}
