import { type Static, Type } from 'typebox';
import { DateTime, Named, Nullable, Strict, Text, Uuid } from './common.ts';
import { DurationText } from './request-type.ts';

export const ReviewAnswer = Type.Union([Type.Literal('keep'), Type.Literal('remove')]);
export type ReviewAnswer = Static<typeof ReviewAnswer>;

/** How often the owners of a group confirm its members, and what becomes of those they leave out. */
export const ReviewTerms = Strict({
  /** From one review to the next: 1d to 730d. */
  every: DurationText,
  /** How long the owners have: 1h to less than `every`. */
  answer_within: DurationText,
  /** What becomes of a member whom nobody has answered for by then. */
  unanswered: ReviewAnswer,
});
export type ReviewTerms = Static<typeof ReviewTerms>;

export const ReviewedGroup = Strict({
  group: Named,
  ...ReviewTerms.properties,
  next_at: DateTime,
});
export type ReviewedGroup = Static<typeof ReviewedGroup>;

export const ReviewState = Type.Union([
  Type.Literal('open'),
  Type.Literal('done'),
  Type.Literal('canceled'),
]);

export const Review = Strict({
  id: Uuid,
  group: Named,
  state: ReviewState,
  unanswered: ReviewAnswer,
  opened_at: DateTime,
  due_at: DateTime,
  closed_at: Nullable(DateTime),
  members: Type.Integer(),
  /** Of the members: for how many an answer is still wanted. */
  open_members: Type.Integer(),
});
export type Review = Static<typeof Review>;

export const ReviewMember = Strict({
  user: Named,
  login: Type.String(),
  /** By what he is in the group and would leave it: an admin's addition, requests. */
  memberships: Type.Array(
    Strict({
      source: Type.String(),
      request_id: Nullable(Uuid),
      expires_at: Nullable(DateTime),
    }),
  ),
  /** null: an answer is wanted, as long as the review is open. */
  outcome: Nullable(
    Type.Union([
      Type.Literal('kept'),
      Type.Literal('removed'),
      /** He had left before. */
      Type.Literal('left'),
    ]),
  ),
  /** null: nobody answered; the group's terms did, or what `reason` says. */
  answered_by: Nullable(Named),
  answered_at: Nullable(DateTime),
  comment: Nullable(Type.String()),
  /** Why the group's terms were not followed. */
  reason: Nullable(Type.String()),
});
export type ReviewMember = Static<typeof ReviewMember>;

export const ReviewReply = Strict({
  answer: ReviewAnswer,
  comment: Type.Optional(Text(2000)),
});
