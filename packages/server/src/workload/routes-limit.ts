import { Refusal } from '../platform/errors.ts';

const MINUTE_MS = 60_000;
const MAX_KNOWN = 10_000;

/**
 * How often a minute somebody may knock, by whatever names him. Those of a full list are
 * forgotten together: that is more than one minute's knocking of one, and bounded memory.
 *
 * @param monotonic milliseconds that only ever grow
 */
export function createLimit(most: number, monotonic: () => number): (who: string) => void {
  let since = monotonic();
  let counts = new Map<string, number>();
  return (who) => {
    if (monotonic() - since >= MINUTE_MS || counts.size >= MAX_KNOWN) {
      since = monotonic();
      counts = new Map();
    }
    const count = (counts.get(who) ?? 0) + 1;
    counts.set(who, count);
    if (count > most)
      throw new Refusal('rate_limited', 'Too many logins in this minute.', {
        next: 'Try again in a minute.',
      });
  };
}
