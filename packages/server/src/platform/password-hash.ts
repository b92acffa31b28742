import { randomBytes } from 'node:crypto';
import { hash as argon2, verify } from '@node-rs/argon2';
import { Refusal } from './errors.ts';

/**
 * Turns passwords into what is kept of them. It takes long on purpose, so it is never asked
 * inside a transaction.
 */
export interface PasswordHasher {
  /** @returns a PHC string: parameters, salt and hash. */
  hash(password: string): Promise<string>;
  /**
   * Whether it is the password that `kept` was made from. Does the same work where nothing is
   * kept, so that nobody learns from the time whether there is an account.
   */
  matches(kept: string | undefined, password: string): Promise<boolean>;
}

export interface HashCost {
  readonly memoryCost: number;
  readonly timeCost: number;
}

/** OWASP Password Storage Cheat Sheet, argon2id: m=19456 (19 MiB), t=2, p=1. */
const OWASP: HashCost = { memoryCost: 19_456, timeCost: 2 };
/** `Algorithm.Argon2id`, a const enum that is not there at run time. */
const ARGON2ID = 2;

/** So many at once: each takes 19 MiB and a core. */
const AT_ONCE = 2;
/** So many wait; whoever comes then is told to come back, before memory and time run out. */
const WAITING = 100;

export function createPasswordHasher(cost: HashCost = OWASP): PasswordHasher {
  const options = { ...cost, algorithm: ARGON2ID, parallelism: 1 };
  const turn = createTurns(AT_ONCE, WAITING);
  let nobodys: Promise<string> | undefined;
  return {
    hash: (password) => turn(() => argon2(password, options)),
    matches: (kept, password) =>
      turn(async () => {
        nobodys ??= argon2(randomBytes(32), options);
        const instead = await nobodys;
        const same = await verify(kept ?? instead, password);
        return same && kept !== undefined;
      }),
  };
}

function createTurns(atOnce: number, mostWaiting: number) {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) {
      if (waiting.length >= mostWaiting)
        throw new Refusal('rate_limited', 'Too many people are logging in at this moment.', {
          next: 'Try again in a minute.',
        });
      await new Promise<void>((go) => waiting.push(go));
    } else running += 1;
    try {
      return await work();
    } finally {
      // A place that is handed on stays taken.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
