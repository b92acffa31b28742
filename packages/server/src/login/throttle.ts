import { createHash } from 'node:crypto';
import { type Instant, plus, type Seconds, seconds, secondsBetween } from '@postern/shared';
import { networkOf } from '../platform/networks.ts';

/** So many attempts are free; each one after that waits twice as long, up to the longest wait. */
export interface Pace {
  readonly free: number;
  readonly first_wait: Seconds;
  readonly longest_wait: Seconds;
  /** So long after the latest, all are forgotten. */
  readonly forget: Seconds;
}

const minutes = (n: number): Seconds => seconds(n * 60);

/** One client at one account. Somebody else's attempts do not count here. */
const PAIR: Pace = {
  free: 5,
  first_wait: seconds(2),
  longest_wait: minutes(15),
  forget: minutes(60),
};
/** All clients at one account that never logged in to it: whoever has many addresses. */
const ACCOUNT: Pace = {
  free: 50,
  first_wait: seconds(30),
  longest_wait: seconds(30),
  forget: minutes(60),
};
/** The same for codes of six digits, by whoever has the password already. */
const CODES: Pace = {
  free: 20,
  first_wait: minutes(5),
  longest_wait: minutes(5),
  forget: minutes(24 * 60),
};
/** One client at all accounts: one password tried on everybody. */
const CLIENT: Pace = {
  free: 30,
  first_wait: seconds(2),
  longest_wait: seconds(60),
  forget: minutes(15),
};

/** Who tries what. */
export interface Attempt {
  readonly what: 'password' | 'code';
  /** As it was typed: an unknown login is counted as a known one is. */
  readonly account: string;
  readonly address: string;
  /** A hash of the cookie of a device from which this person has logged in. */
  readonly known_device: string | undefined;
  /** Whether this person has logged in from this address. */
  readonly known_address: boolean;
}

/** Where an attempt is counted. */
export interface Counter {
  readonly key: string;
  readonly pace: Pace;
  /** Whether a success forgets all of it; else it takes back one. */
  readonly own: boolean;
}

/**
 * A client that has logged in before never waits for what others do: it is not counted with
 * the others of its account, and by its device, where it has one, not with its address.
 */
export function countersOf(attempt: Attempt): Counter[] {
  const { what, account, address, known_device, known_address } = attempt;
  const network = networkOf(address);
  const who = known_device === undefined ? `address ${network}` : `device ${known_device}`;
  const counters: Counter[] = [{ key: keyOf([what, 'pair', account, who]), pace: PAIR, own: true }];
  if (known_device === undefined)
    counters.push({ key: keyOf(['client', network]), pace: CLIENT, own: false });
  if (known_device === undefined && !known_address) {
    const pace = what === 'code' ? CODES : ACCOUNT;
    counters.push({ key: keyOf([what, 'account', account]), pace, own: false });
  }
  return counters.sort((a, b) => (a.key < b.key ? -1 : 1));
}

const keyOf = (parts: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex');

export interface Count {
  readonly count: number;
  readonly next_at: Instant;
  readonly forget_at: Instant;
}

/** How long the attempt has to wait: 0, it may be made. */
export const waitOf = ({ next_at, forget_at }: Count, now: Instant): Seconds =>
  forget_at <= now || next_at <= now ? seconds(0) : seconds(secondsBetween(now, next_at) + 1);

/** What is kept after an attempt that is made now. */
export function counted({ count, forget_at }: Count, pace: Pace, now: Instant): Count {
  const total = (forget_at <= now ? 0 : count) + 1;
  const over = total - pace.free;
  const wait =
    over < 1 ? 0 : Math.min(pace.first_wait * 2 ** Math.min(over - 1, 30), pace.longest_wait);
  return {
    count: total,
    next_at: plus(now, seconds(wait)),
    forget_at: plus(now, seconds(Math.max(pace.forget, wait))),
  };
}
