import { type Instant, plus, seconds } from '@postern/shared';
import type { FieldError } from '../platform/errors.ts';

export const LONGEST_DELEGATION = seconds(90 * 86_400);
export const FARTHEST_START = seconds(366 * 86_400);

export interface Person {
  readonly id: string;
  readonly name: string;
  readonly type: 'human' | 'service';
  readonly status: string;
}

export interface Wish {
  readonly from: Person;
  readonly to: Person;
  readonly starts_at: Instant;
  readonly ends_at: Instant;
  /** Every account behind the wish: who asks, who issued his token, and who owns either. */
  readonly makers: readonly string[];
  readonly now: Instant;
}

/** The fault, or undefined when the rule is kept. */
type Rule = (wish: Wish) => FieldError | undefined;

const fault = (pointer: string, code: string, detail: string): FieldError => ({
  pointer,
  code,
  detail,
});

const twoPeople: Rule = ({ from, to }) =>
  from.id === to.id ? fault('/to', 'same_person', 'must be somebody else') : undefined;

/** A service user decides only where a step names it; nobody stands in for it, and it for nobody. */
const bothHuman: Rule = ({ from, to }) => {
  if (from.type !== 'human') return fault('/from', 'service_user', 'must be a person');
  return to.type === 'human' ? undefined : fault('/to', 'service_user', 'must be a person');
};

const bothActive: Rule = ({ from, to }) => {
  if (from.status !== 'ACTIVE') return fault('/from', 'inactive', `${from.name} is not active`);
  return to.status === 'ACTIVE' ? undefined : fault('/to', 'inactive', `${to.name} is not active`);
};

/**
 * Nobody hands himself the votes of others: not as an admin, not through a token he issued,
 * not through a service user he owns.
 */
const notToWhoArrangesIt: Rule = ({ to, makers }) =>
  makers.includes(to.id)
    ? fault(
        '/to',
        'arranged_by_stand_in',
        'must not be who arranges it, issued the token used, or owns the service user that does',
      )
    : undefined;

const startsAhead: Rule = ({ starts_at, now }) => {
  if (starts_at < now) return fault('/starts_at', 'out_of_range', 'must not be in the past');
  return starts_at <= plus(now, FARTHEST_START)
    ? undefined
    : fault('/starts_at', 'out_of_range', 'must be within a year');
};

const endsAfterIt: Rule = ({ starts_at, ends_at }) =>
  ends_at > starts_at
    ? undefined
    : fault('/ends_at', 'out_of_range', 'must be after it starts, and not in the past');

const notForTooLong: Rule = ({ starts_at, ends_at }) =>
  ends_at <= plus(starts_at, LONGEST_DELEGATION)
    ? undefined
    : fault('/ends_at', 'out_of_range', 'must be at most 90 days after it starts');

/** In the order in which they refuse. */
const RULES: readonly Rule[] = [
  twoPeople,
  bothHuman,
  bothActive,
  notToWhoArrangesIt,
  startsAhead,
  endsAfterIt,
  notForTooLong,
];

/** Whether a stand-in may be made so; undefined when it may. */
export function refusalOf(wish: Wish): FieldError | undefined {
  for (const rule of RULES) {
    const found = rule(wish);
    if (found !== undefined) return found;
  }
  return undefined;
}
