import type { ApprovalCard, Instant } from '@postern/shared';

export type MessageKind =
  | 'approval_needed'
  | 'approval_reminder'
  | 'request_escalated'
  | 'request_approved'
  | 'request_denied'
  | 'request_failed'
  | 'request_canceled'
  | 'request_expired'
  | 'access_revoked'
  | 'access_ended'
  | 'access_ending'
  | 'token_made'
  | 'invitation_made'
  | 'factors_reset'
  | 'identity_linked'
  | 'factor_added'
  | 'password_set'
  | 'chat_linked'
  | 'delegation_made'
  | 'delegation_ended'
  | 'review_opened'
  | 'membership_removed';

/** What somebody is told: the same for mail, webhook and chat, which only show it differently. */
export interface Notice {
  readonly subject: string;
  readonly lines: readonly string[];
  /** What there is to decide; null when nothing is asked. */
  readonly card: ApprovalCard | null;
  /** Opens the decision for the one person it was made for, so never in a channel. */
  readonly link: string | null;
  /** Whether it may be decided from a chat. */
  readonly chat: boolean;
  /** The step that a decision is about. */
  readonly step: number | null;
}

/** A message on its way, with what its medium needs besides the notice. */
export interface Letter {
  /** The same in every copy: the receiver sees by it that a second one is no other. */
  readonly id: string;
  readonly kind: string;
  readonly request_id: string | null;
  readonly created_at: Instant;
  readonly team: string;
  readonly notice: Notice;
}

export const WEBHOOK_FORMATS = ['postern', 'slack', 'teams'] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

export interface MailSettings {
  /** smtp: or smtps:, with the password in it. Secret. */
  readonly url: URL;
  readonly from: { readonly name: string; readonly address: string };
  /** Whether smtp: may go on without TLS to another host than this one. */
  readonly allow_plaintext: boolean;
}

export interface WebhookSettings {
  readonly name: string;
  /** Secret: of a chat's webhook it is all that is needed to write there. */
  readonly url: URL;
  readonly format: WebhookFormat;
  /** The key that signs; null for a chat that checks no signature. Secret. */
  readonly key: Buffer | null;
  readonly allow_private: boolean;
}

export interface MessageSettings {
  readonly mail: MailSettings | null;
  readonly webhooks: readonly WebhookSettings[];
}

/** A destination's name in the database, for those that are no person's mailbox. */
export const MAIL = 'mail';
export const webhookDestination = (name: string): string => `webhook:${name}`;

/** Whether a destination was reached, and if not, what to expect of the next attempt. */
export type Outcome =
  | { readonly result: 'delivered' }
  | {
      readonly result: 'failed';
      /** One line, public: what was answered, never the address, a secret or the receiver's words. */
      readonly error: string;
      /** `message`: this one only; `destination`: the others will fare no better now. */
      readonly of: 'message' | 'destination';
      /** Sending the same again is pointless. */
      readonly permanent: boolean;
    };

export const DELIVERED: Outcome = { result: 'delivered' };
