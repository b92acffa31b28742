import { type Instant, plus, type Seconds, seconds } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import { hashOfLink, LINK_BYTES } from './secret.ts';
import { dropExpired, dropSurplus, findPendingStep, insertLink } from './store.ts';

const LONGEST: Seconds = seconds(72 * 3_600);
/** Every attempt to send a mail makes a link; so many of the newest open the page. */
const KEPT = 8;
/** So many that ran out are removed with each new one, so that they do not pile up. */
const REMOVED = 50;

/**
 * Makes links to the decision page. A link is bound to the person, the request and the step
 * that is current now, and expires with that step or after 72 h. It is no login: whoever
 * holds it reads the card, and decides nothing without the person's token.
 *
 * @param publicUrl without a slash at the end.
 * @returns null where nobody could open it, or nothing waits for a decision.
 */
export const createLinkFor =
  (publicUrl: string | undefined) =>
  async (tx: Tx, request_id: string, user_id: string): Promise<string | null> => {
    if (publicUrl === undefined) return null;
    const pending = await findPendingStep(tx.sql, request_id);
    if (pending === undefined) return null;
    const expires_at = earlier(plus(tx.now, LONGEST), pending.step_expires_at);
    if (expires_at <= tx.now) return null;
    const secret = tx.ids.random(LINK_BYTES).toString('base64url');
    await insertLink(tx.sql, {
      id: tx.ids.uuid(),
      hash: hashOfLink(secret),
      request_id,
      user_id,
      step: pending.current_step,
      created_at: tx.now,
      expires_at,
    });
    await dropSurplus(tx.sql, request_id, user_id, KEPT);
    await dropExpired(tx.sql, tx.now, REMOVED);
    return `${publicUrl}/decide/${secret}`;
  };

const earlier = (a: Instant, b: Instant | null): Instant => (b === null || a < b ? a : b);
