import { type Instant, plus, seconds } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import { hashOfBinding, hashOfState } from './flow.ts';
import { dropOverStarts, insertStart, takeStart } from './store.ts';

const LIFE = seconds(10 * 60);
const REMOVED = 50;

export interface Start {
  /** Where the browser goes afterwards. */
  readonly next: string | undefined;
  readonly fresh: boolean;
  /** By the clock of the world. */
  readonly asked_at: Instant;
}

/** A login that begins: the browser with this cookie finishes it within 10 minutes, once. */
export async function rememberStart(
  tx: Tx,
  { state, cookie }: { readonly state: string; readonly cookie: string },
  { next, fresh, asked_at }: Start,
): Promise<void> {
  await dropOverStarts(tx.sql, tx.now, REMOVED);
  await insertStart(tx.sql, {
    hash: hashOfState(state),
    binding: hashOfBinding(cookie),
    next: next ?? null,
    fresh,
    asked_at,
    expires_at: plus(tx.now, LIFE),
  });
}

/** @returns undefined: used, over, of another browser, or never begun. */
export async function useStart(
  tx: Tx,
  { state, cookie }: { readonly state: string; readonly cookie: string },
): Promise<Start | undefined> {
  const which = { hash: hashOfState(state), binding: hashOfBinding(cookie) };
  const row = await takeStart(tx.sql, which);
  if (row === undefined || tx.now >= row.expires_at) return undefined;
  return { next: row.next ?? undefined, fresh: row.fresh, asked_at: row.asked_at };
}
