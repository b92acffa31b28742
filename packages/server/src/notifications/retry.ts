import { type Instant, plus, type Seconds, seconds } from '@postern/shared';

const FIRST_PAUSE = 10;
const LONGEST_PAUSE = 15 * 60;

/** How long a message is tried; a failure after that is the last one. */
export const PATIENCE: Seconds = seconds(24 * 3_600);

/** The pause after the n-th failed attempt: 10 s, 20 s, 40 s, … and never more than 15 min. */
export const pauseAfter = (attempts: number): Seconds =>
  seconds(Math.min(FIRST_PAUSE * 2 ** (Math.max(attempts, 1) - 1), LONGEST_PAUSE));

export interface Attempted {
  /** This one counted. */
  readonly attempts: number;
  readonly give_up_at: Instant;
}

/** When to try again after a failure, or that there is no point. */
export function afterFailure(
  { attempts, give_up_at }: Attempted,
  permanent: boolean,
  now: Instant,
): { readonly next_at: Instant } | 'dead' {
  if (permanent || now >= give_up_at) return 'dead';
  return { next_at: plus(now, pauseAfter(attempts)) };
}
