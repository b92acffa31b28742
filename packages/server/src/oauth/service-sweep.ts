import { plus, seconds } from '@postern/shared';
import { dropProofs } from '../identity/index.ts';
import type { Tx } from '../platform/tx.ts';
import { deleteOver } from './store.ts';

/** Kept for a while after its end, so that who comes late is told that it is over. */
const LATE_SECONDS = seconds(-600);

export async function sweepOver(tx: Tx): Promise<void> {
  await deleteOver(tx.sql, plus(tx.now, LATE_SECONDS), tx.now);
  await dropProofs(tx.sql, tx.now);
}
