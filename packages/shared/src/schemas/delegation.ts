import { type Static, Type } from 'typebox';
import { DateTime, Nullable, Strict, Text, Uuid } from './common.ts';

const Person = Strict({ id: Uuid, login: Type.String(), name: Type.String() });

/** `to` decides in the place of `from`, from `starts_at` until `ends_at` or `ended_at`. */
export const Delegation = Strict({
  id: Uuid,
  from: Person,
  to: Person,
  starts_at: DateTime,
  /** The first instant at which it no longer holds. */
  ends_at: DateTime,
  ended_at: Nullable(DateTime),
  reason: Nullable(Type.String()),
  created_at: DateTime,
});
export type Delegation = Static<typeof Delegation>;

/** Left out: `from` is whoever asks, `starts_at` is now. */
export const NewDelegation = Strict({
  from: Type.Optional(Text(200)),
  to: Text(200),
  starts_at: Type.Optional(DateTime),
  ends_at: DateTime,
  reason: Type.Optional(Text(500)),
});
export type NewDelegation = Static<typeof NewDelegation>;
