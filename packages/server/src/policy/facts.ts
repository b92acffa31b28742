import type { Instant, Seconds } from '@postern/shared';
import type { Acr } from './model.ts';

/** What an evaluation is told about the person who asks. */
export interface UserFacts {
  readonly id: string;
  /** Only `ACTIVE` opens anything. */
  readonly status: string;
  /** The login name of the person's own account on targets; null: has none. */
  readonly unix_name: string | null;
  /** One entry per row; a group may have several. The group counts while any row is live. */
  readonly memberships: readonly MembershipFacts[];
}

export interface MembershipFacts {
  readonly group_id: string;
  /** From this instant on the row does not exist; null: no end. */
  readonly valid_until: Instant | null;
}

/** What an evaluation is told about a server. */
export interface ServerFacts {
  readonly id: string;
  readonly identity_revision: number;
  readonly resource_group_id: string;
  /** Only `ACTIVE` is open to anybody. */
  readonly state: string;
  readonly via: 'gateway' | 'direct';
  readonly os_type: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `{unix_name}-adm`: which account admin-level permissions log in to; null: none. */
  readonly admin_account_template: string | null;
  readonly accounts: readonly AccountFacts[];
}

/** A vaulted account. */
export interface AccountFacts {
  readonly id: string;
  readonly username: string;
  /** Its credential can be released for the server's present identity revision. */
  readonly usable: boolean;
}

/** What is true besides policy, person and server. */
export interface Facts {
  /** Of any person and server; only those that match count. */
  readonly approvals: readonly Approval[];
  /** The proofs of the caller's login. */
  readonly mfa_instants: readonly MfaInstant[];
  /** Proofs of the caller's login, each for one connection that has not used it. None: left out. */
  readonly connection_proofs?: readonly ConnectionProof[];
  /**
   * MFA is a condition of opening: of a session that is live it is not asked again, as long as its
   * login ever gave any as strong. For whoever reviews one, and for nobody else.
   */
  readonly mfa_is_waived?: true;
  /** Vaulted accounts in use now; the row is there until it is checked in. */
  readonly checkouts: readonly CheckoutFacts[];
  /** undefined: not known. */
  readonly client_address: string | undefined;
  /** The job whose login asks; absent or null: it is no job's. */
  readonly binding?: string | null;
}

export interface MfaInstant {
  readonly acr: Acr;
  readonly at: Instant;
}

/** A proof that its giver was asked for when he wanted to connect, and what he was told it is for. */
export interface ConnectionProof extends MfaInstant {
  readonly id: string;
  readonly user_id: string;
  readonly server_id: string;
  readonly server_identity_revision: number;
  readonly identity: string;
  readonly credential_type: 'vaulted_account' | 'principal_account';
  /** null for a principal account. */
  readonly account_id: string | null;
  readonly admin_level: boolean;
  readonly privilege: string;
}

export interface CheckoutFacts {
  readonly account_id: string;
  readonly user_id: string;
}

/** The stored result of an access request. Bound to ids, never to names. */
export interface Approval {
  readonly id: string;
  readonly request_id: string;
  readonly user_id: string;
  readonly server_id: string;
  readonly server_identity_revision: number;
  readonly identity: string;
  readonly credential_type: 'vaulted_account' | 'principal_account';
  /** null for a principal account. */
  readonly account_id: string | null;
  readonly privilege: string;
  readonly admin_level: boolean;
  readonly channels: readonly string[];
  /** The job it was asked for by; null: by none. */
  readonly binding: string | null;
  readonly request_type_id: string;
  readonly request_type_version: number;
  readonly approved_at: Instant;
  readonly revoked_at: Instant | null;
  readonly ended_at: Instant | null;
  /** Rule id → for how long, as the approver's card said. */
  readonly periods: Readonly<Record<string, Seconds>>;
}

/** A request type as far as evaluation needs it. */
export interface RequestTypeFacts {
  readonly id: string;
  readonly name: string;
  /** null: not published; no approval meets it. */
  readonly published_version: number | null;
  /** Earlier versions whose approvals the published one says it accepts. */
  readonly accepts: readonly number[];
}

export const NO_FACTS: Facts = Object.freeze({
  approvals: Object.freeze([]),
  mfa_instants: Object.freeze([]),
  checkouts: Object.freeze([]),
  client_address: undefined,
});
