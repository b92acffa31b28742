import type { Instant, Seconds } from '@postern/shared';

/** A user's id, human or service: a UUIDv7 that is never reused. */
export type UserId = string;

export type Purpose = 'server_access' | 'group_membership';

/** Whom a leaf asks, resolved to ids when the type was published. */
export type ApproverSet =
  | { readonly kind: 'manager' }
  | { readonly kind: 'resource_owner' }
  | { readonly kind: 'group_owner' }
  | { readonly kind: 'group'; readonly id: string; readonly name: string }
  | { readonly kind: 'user'; readonly id: UserId; readonly name: string };

/** `any` distinct persons out of the union of `of`. */
export interface Leaf {
  readonly any: number;
  readonly of: readonly ApproverSet[];
}

export type Need = Leaf | { readonly all: readonly Need[] } | { readonly either: readonly Need[] };

/** What becomes of a step nobody completed in time. There is no "approve". */
export type OnTimeout = 'expire' | 'deny' | { readonly escalate_to: readonly ApproverSet[] };

export interface Step {
  readonly name: string;
  readonly needs: Need;
  readonly timeout: Seconds;
  readonly on_timeout: OnTimeout;
  /** How long the requester waits before he may escalate himself; null: he may not. */
  readonly escalate_after: Seconds | null;
  /** How long the step waits before those it asks are reminded, once. */
  readonly remind_after: Seconds;
}

interface FieldBase {
  readonly key: string;
  readonly prompt: string;
  readonly required: boolean;
}

export interface TextField extends FieldBase {
  readonly type: 'text';
  /** In UTF-16 code units, as JSON Schema libraries in browsers count it. */
  readonly max_length: number;
}

export interface ChoiceField extends FieldBase {
  readonly type: 'choice';
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

export interface DateField extends FieldBase {
  readonly type: 'date';
  /** IANA name of the zone whose calendar the date is in. */
  readonly zone: string;
  /** How far ahead the end of the date may lie; null: no limit. */
  readonly max_ahead: Seconds | null;
}

export interface DurationField extends FieldBase {
  readonly type: 'duration';
  readonly min: Seconds;
  readonly max: Seconds;
}

export type Field = TextField | ChoiceField | DateField | DurationField;

/** A group given in the type, or by the requester's choice among resolved ones. */
export type GroupRef =
  | { readonly id: string; readonly name: string }
  | {
      readonly field: string;
      readonly groups: readonly {
        readonly value: string;
        readonly id: string;
        readonly name: string;
      }[];
    };

export type Action =
  | { readonly kind: 'grant_access' }
  | { readonly kind: 'deny_access' }
  | {
      readonly kind: 'add_to_group';
      readonly group: GroupRef;
      readonly until: { readonly field: string };
    };

/** A valid request type with every name resolved; what a published version stores. */
export interface Definition {
  readonly name: string;
  readonly description: string;
  readonly purpose: Purpose;
  readonly audience:
    | 'everyone'
    | { readonly groups: readonly { readonly id: string; readonly name: string }[] };
  readonly fields: readonly Field[];
  readonly steps: readonly Step[];
  readonly on_approved: readonly Action[];
  readonly on_denied: readonly Action[];
  /** Older versions whose approvals still meet a rule that names this type. */
  readonly accepts: readonly number[];
  /** Whether it may be decided from a chat, by who linked his chat account while logged in. */
  readonly chat: boolean;
  /** Which proof a decision takes in so many words; null: a login needs any, all else none. */
  readonly approver_mfa: 'any' | 'phr' | null;
  /** Whether its approval may put somebody into a privileged group (see directory/privileged). */
  readonly grants_role: boolean;
}

export type Decision = 'approve' | 'deny';

/** A decision as it was stored. */
export interface Vote {
  readonly id: string;
  readonly step: number;
  readonly decision: Decision;
  readonly by: UserId;
  /** The person stood in for; null when `by` decided for himself. */
  readonly for: UserId | null;
  /** Who issued the token it came through, if not its own subject. */
  readonly token_issued_by: UserId | null;
  /** Every person it spent when it was given. No two votes that count share one. */
  readonly persons: readonly UserId[];
  /** Found not to stand when checked again; never counts, spends nobody. */
  readonly void: boolean;
}

export interface Delegation {
  readonly from: UserId;
  readonly to: UserId;
  readonly starts_at: Instant;
  /** The first instant at which it no longer holds. */
  readonly ends_at: Instant;
  /** As {@link Eligibility.made_by} and {@link Eligibility.made_at}. */
  readonly made_by: readonly UserId[];
  readonly made_at: Instant;
}

/** One way (a membership row, an ownership, a manager attribute) in which somebody is in a set. */
export interface Eligibility {
  readonly user_id: UserId;
  /** Every account behind the change that made it: the actor, and who issued his token. Empty: the system. */
  readonly made_by: readonly UserId[];
  /** Null when unknown, which counts as "after the request was raised". */
  readonly made_at: Instant | null;
}

export interface Account {
  readonly id: UserId;
  /** For people to read, e.g. "Dana Reyes". */
  readonly name: string;
  readonly kind: 'human' | 'service';
  readonly active: boolean;
  /** Of a service user: everybody who owned it at any time since the request was raised. Of a human: empty. */
  readonly owners: readonly UserId[];
}

/**
 * Who may decide now, read in the transaction that decides. Must hold every account
 * that is named anywhere: requester, voters, owners, issuers, makers, members. Somebody
 * who is missing does not count.
 */
export interface Roster {
  readonly accounts: ReadonlyMap<UserId, Account>;
  /** By {@link setKey}; a missing key is an empty set. `user:` sets need no entry. */
  readonly members: ReadonlyMap<string, readonly Eligibility[]>;
}

export interface Requester {
  readonly id: UserId;
  /** Who issued the token the request was raised with, if not the requester. */
  readonly token_issued_by: UserId | null;
  /** Everybody else behind it: of a job's request, who started it and who says whose it is. */
  readonly made_by: readonly UserId[];
  readonly raised_at: Instant;
}

export type RequestState =
  | 'pending'
  | 'approved'
  | 'denied'
  | 'canceled'
  | 'expired'
  | 'active'
  | 'ended'
  | 'revoked'
  | 'failed';

/** What the rules of deciding need to know of an access request. */
export interface RequestFacts {
  readonly purpose: Purpose;
  readonly state: RequestState;
  readonly requester: Requester;
  readonly steps: readonly Step[];
  /** Index of the step that is being decided. */
  readonly step: number;
  /** Indices of the steps that were escalated. */
  readonly escalated: readonly number[];
  readonly votes: readonly Vote[];
}
