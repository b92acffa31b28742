import type { Signals } from './signals.ts';
import type { Tx } from './tx.ts';

/** How old a remembered authentication may be; it serves reading only. */
const MAX_AGE_MS = 1_000;
const MAX_ENTRIES = 10_000;

interface World<P, C> {
  transact<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  recognize(tx: Tx, presented: P): Promise<C>;
  /** Different for whatever may get another answer; nothing secret can be read from it. */
  keyOf(presented: P): string;
  /** Milliseconds that only ever grow. */
  monotonic(): number;
  readonly signals: Pick<Signals, 'on'>;
}

/**
 * Who a token stands for, at most a second old, and none after a person was heard to have
 * changed: for listing, resolving and evaluating, which give nothing away that a second ago
 * was not theirs. Whatever decides, opens, reveals or changes authenticates in its own
 * transaction instead.
 */
export function createCachedAuth<P, C>(world: World<P, C>): (presented: P) => Promise<C> {
  const known = new Map<string, { caller: Promise<C>; at: number }>();
  for (const kind of ['user', 'reload'] as const) world.signals.on(kind, () => known.clear());
  return (presented) => {
    const now = world.monotonic();
    const key = world.keyOf(presented);
    const found = known.get(key);
    if (found !== undefined && now - found.at < MAX_AGE_MS) return found.caller;
    const caller = world.transact((tx) => world.recognize(tx, presented));
    if (known.size >= MAX_ENTRIES) known.clear();
    const entry = { caller, at: now };
    known.set(key, entry);
    caller.catch(() => {
      if (known.get(key) === entry) known.delete(key);
    });
    return caller;
  };
}
