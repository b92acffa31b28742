import { plus, seconds } from '@postern/shared';
import { sendLater } from '../notifications/index.ts';
import type { Tx } from '../platform/tx.ts';
import { WARNINGS, warningDue } from './model.ts';
import { endingSessions, lockSession, markWarned, namesOf } from './store.ts';

/**
 * Tells by message whose session ends soon; the gateway says it on the live terminal. Once
 * for each warning and end, whichever replica comes first.
 */
export async function warnOfEnds(tx: Tx): Promise<void> {
  for (const { id } of await endingSessions(tx.sql, plus(tx.now, seconds(WARNINGS[0])))) {
    const row = await lockSession(tx.sql, id);
    if (row?.state !== 'live') continue;
    const due = warningDue(row, tx.now);
    if (due === undefined) continue;
    await markWarned(tx.sql, id, { warned_until: row.expires_at, warned_seconds: due });
    const { server } = (await namesOf(tx.sql, [row]))(row);
    await sendLater(tx, [
      {
        to: row.user_id,
        kind: 'access_ending',
        request_id: row.request_id,
        body: { server, seconds_left: due },
      },
    ]);
  }
}
