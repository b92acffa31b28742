import {
  type Instant,
  type Seconds,
  toRfc3339,
  type Conditional as WireConditional,
  type AccessMethod as WireMethod,
} from '@postern/shared';
import type { Acr, Channel, Named, SshPrivilege, Weekday } from './model.ts';

/**
 * One way for one person into one server. It has no id: whoever wants to use it evaluates
 * again. Parts of it are shared between answers and frozen.
 */
export interface AccessMethod {
  readonly server_id: string;
  /** The login name on the target. */
  readonly identity: string;
  readonly access_credential: AccessCredential;
  readonly privilege: SshPrivilege;
  readonly channels: readonly Channel[];
  /** Every condition is met, and the account can be had now. */
  readonly allowed: boolean;
  /**
   * The earliest of: the end of each condition, the end of the latest-ending membership
   * that matches. null: no end, or not allowed.
   */
  readonly expires_at: Instant | null;
  /**
   * As `expires_at` without MFA: it is a condition of opening, and when its time is over no
   * session ends. null: no end, or not allowed.
   */
  readonly session_until: Instant | null;
  readonly resource_status: ResourceStatus;
  /** Every rule that gives exactly this, ascending. */
  readonly rule_ids: readonly string[];
  readonly conditionals: readonly Conditional[];
}

export type AccessCredential =
  | { readonly type: 'vaulted_account'; readonly account_id: string }
  | { readonly type: 'principal_account'; readonly admin_level_permissions: boolean };

/** `checked_out`: by the caller. */
export type ResourceStatus =
  | 'available'
  | 'checked_out'
  | 'checked_out_by_other_user'
  | 'unavailable';

/** A condition, evaluated. `expires_at`: when it stops being met; null: no end, or not met. */
export type Conditional =
  | (Evaluated & {
      readonly type: 'access_request';
      readonly request_type: Named;
      readonly expires_after_seconds: Seconds;
      /** The approval that meets it, and the request it came from. */
      readonly approval_id: string | null;
      readonly request_id: string | null;
    })
  | (Evaluated & {
      readonly type: 'mfa';
      readonly re_auth_frequency_in_seconds: Seconds;
      readonly acr_values: Acr;
      /** The proof of this very connection that meets it; null: met by a remembered one, or not. */
      readonly proof_id: string | null;
    })
  | (Evaluated & {
      readonly type: 'gateway';
      readonly traffic_forwarding: boolean;
      readonly session_recording: boolean;
    })
  | (Evaluated & {
      readonly type: 'time_window';
      readonly zone: string;
      readonly days: readonly Weekday[];
      readonly from: string;
      readonly to: string;
    })
  | (Evaluated & { readonly type: 'source_address'; readonly cidrs: readonly string[] });

interface Evaluated {
  readonly condition_is_met: boolean;
  readonly description: string;
  readonly expires_at: Instant | null;
}

/** Which pending access request of the caller, if any, would meet a method's condition. */
export type PendingRequest = (method: AccessMethod, requestTypeId: string) => string | null;

/** A method as it is answered: instants as RFC 3339, pending requests filled in. */
export function toWire(method: AccessMethod, pending: PendingRequest = () => null): WireMethod {
  const { session_until: _, ...shown } = method;
  return {
    ...shown,
    channels: [...method.channels],
    rule_ids: [...method.rule_ids],
    expires_at: wireInstant(method.expires_at),
    conditionals: method.conditionals.map((c) => wireConditional(c, method, pending)),
  };
}

function wireConditional(
  conditional: Conditional,
  method: AccessMethod,
  pending: PendingRequest,
): WireConditional {
  const expires_at = wireInstant(conditional.expires_at);
  switch (conditional.type) {
    case 'access_request': {
      const pending_request_id = conditional.condition_is_met
        ? null
        : pending(method, conditional.request_type.id);
      return { ...conditional, expires_at, pending_request_id };
    }
    case 'time_window':
      return { ...conditional, expires_at, days: [...conditional.days] };
    case 'source_address':
      return { ...conditional, expires_at, cidrs: [...conditional.cidrs] };
    case 'mfa': {
      const { proof_id: _, ...shown } = conditional;
      return { ...shown, expires_at };
    }
    case 'gateway':
      return { ...conditional, expires_at };
  }
}

const wireInstant = (at: Instant | null): string | null => (at === null ? null : toRfc3339(at));
