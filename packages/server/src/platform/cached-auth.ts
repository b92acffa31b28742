import { hash } from 'node:crypto';
import type { Tx } from './tx.ts';

/** How old a remembered authentication may be; it serves reading only. */
const MAX_AGE_MS = 1_000;
const MAX_ENTRIES = 10_000;

interface World<C> {
  transact<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  recognize(tx: Tx, bearer: string | undefined): Promise<C>;
  /** Milliseconds that only ever grow. */
  monotonic(): number;
}

/**
 * Who a token stands for, at most a second old: for listing, resolving and evaluating,
 * which give nothing away that a second ago was not theirs. Whatever decides, opens,
 * reveals or changes authenticates in its own transaction instead.
 */
export function createCachedAuth<C>(world: World<C>): (bearer: string | undefined) => Promise<C> {
  const known = new Map<string, { caller: Promise<C>; at: number }>();
  return (bearer) => {
    const now = world.monotonic();
    // Keyed by a digest, so that no token lies in memory longer than its request.
    const key = hash('sha256', bearer ?? '', 'base64url');
    const found = known.get(key);
    if (found !== undefined && now - found.at < MAX_AGE_MS) return found.caller;
    const caller = world.transact((tx) => world.recognize(tx, bearer));
    if (known.size >= MAX_ENTRIES) known.clear();
    known.set(key, { caller, at: now });
    caller.catch(() => known.delete(key));
    return caller;
  };
}
