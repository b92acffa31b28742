import { type Static, Type } from 'typebox';
import { AccessRequest } from './access-request.ts';
import { DateTime, Named, Nullable, Strict } from './common.ts';
import { Session } from './session.ts';

/** What can happen to a request: its changes of state by where they lead, and its steps. */
export const REQUEST_EVENTS = [
  'raised',
  'step_met',
  'escalated',
  'approved',
  'denied',
  'canceled',
  'expired',
  'active',
  'ended',
  'revoked',
  'failed',
] as const;
export type RequestEvent = (typeof REQUEST_EVENTS)[number];

export const RequestHistoryEntry = Strict({
  at: DateTime,
  event: Type.Enum(REQUEST_EVENTS),
  /** `new` before it was raised. Both the same where the state stays. */
  from: Type.String(),
  to: Type.String(),
  /** The step that was met or escalated. */
  step: Nullable(Type.Integer()),
  /** Null: the service itself, when a time was over or a fact it rested on went. */
  by: Nullable(Named),
});
export type RequestHistoryEntry = Static<typeof RequestHistoryEntry>;

/** One access request with all that is kept of it for good. */
export const AccessRequestDetail = Strict({
  ...AccessRequest.properties,
  /** In order. */
  history: Type.Array(RequestHistoryEntry),
  /** Opened by its approval, oldest first; of more than 500 the newest. */
  sessions: Type.Array(Session),
  /** What its approval put the requester into. */
  memberships: Type.Array(
    Strict({
      group: Named,
      added_at: DateTime,
      /** The timer: from then on it does not count, whenever the row is taken away. */
      expires_at: DateTime,
      removed_at: Nullable(DateTime),
    }),
  ),
});
export type AccessRequestDetail = Static<typeof AccessRequestDetail>;
