import {
  type Instant,
  parseDuration,
  plus,
  type ReviewAnswer,
  type Seconds,
  seconds,
  type ReviewTerms as Wire,
} from '@postern/shared';
import type { FieldError } from '../platform/errors.ts';

export interface Terms {
  readonly every: Seconds;
  readonly answer_within: Seconds;
  readonly unanswered: ReviewAnswer;
}

const DAY = 86_400;
const LONGEST = seconds(730 * DAY);
const SHORTEST_ANSWER = seconds(3600);

const fault = (pointer: string, detail: string): FieldError => ({
  pointer,
  code: 'out_of_range',
  detail,
});

/** @returns the terms, and what is wrong with them; pointers are into the terms. */
export function readTerms(wire: Wire): {
  readonly terms: Terms;
  readonly faults: readonly FieldError[];
} {
  const every = parseDuration(wire.every) ?? seconds(0);
  const answer_within = parseDuration(wire.answer_within) ?? seconds(0);
  const faults = [
    ...(every < DAY || every > LONGEST ? [fault('/every', 'must be 1d to 730d')] : []),
    ...(answer_within < SHORTEST_ANSWER || answer_within >= every
      ? [fault('/answer_within', 'must be at least 1h, and less than every')]
      : []),
  ];
  return { terms: { every, answer_within, unanswered: wire.unanswered }, faults };
}

export const sameTerms = (a: Terms, b: Terms): boolean =>
  a.every === b.every && a.answer_within === b.answer_within && a.unanswered === b.unanswered;

/** When the next review opens. */
export const nextReview = (terms: Pick<Terms, 'every'>, countedSince: Instant): Instant =>
  plus(countedSince, terms.every);
