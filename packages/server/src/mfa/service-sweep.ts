import { plus, seconds } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import { LONGEST_WINDOW } from './model.ts';
import { dropOver } from './store.ts';

/** In one transaction; the next comes within a minute. */
const MOST = 1_000;

/** No proof is looked for that is older than the longest window, nor any of a login that is over. */
export const sweepProofs = (tx: Tx): Promise<void> =>
  dropOver(tx.sql, plus(tx.now, seconds(-LONGEST_WINDOW)), MOST);
