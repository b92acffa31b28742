import { type Static, Type } from 'typebox';
import { DateTime, Named, Nullable, Strict, Uuid } from './common.ts';

export const MESSAGE_STATES = ['waiting', 'delivered', 'dead'] as const;
export const MessageState = Type.Union([
  Type.Literal('waiting'),
  Type.Literal('delivered'),
  Type.Literal('dead'),
]);

/** One message to one destination; what it says is not shown. */
export const Message = Strict({
  id: Uuid,
  state: MessageState,
  kind: Type.String(),
  destination: Strict({
    type: Type.Union([Type.Literal('mail'), Type.Literal('webhook')]),
    /** The webhook's name in the configuration. */
    name: Nullable(Type.String()),
  }),
  /** Whose mailbox, or the one person that a webhook's message is about. */
  to: Nullable(Named),
  request_id: Nullable(Uuid),
  attempts: Type.Integer(),
  /** What the last attempt that failed ended with. */
  last_error: Nullable(Type.String()),
  created_at: DateTime,
  /** When it is tried next; null unless it waits. */
  next_at: Nullable(DateTime),
  delivered_at: Nullable(DateTime),
});
export type Message = Static<typeof Message>;
