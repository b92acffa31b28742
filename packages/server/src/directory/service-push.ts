import { plus, seconds } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import { notePush, targetsOf } from './store-push.ts';

/** How long a target is tried. */
export const PUSH_PATIENCE = seconds(24 * 3_600);

/**
 * What a request changed in a group is told to whoever is connected, in the transaction of
 * the change; not what changed: whoever sends it reads what is true then.
 */
export async function tellTargets(
  tx: Tx,
  change: {
    readonly group_id: string;
    readonly user_id: string;
    readonly request_id: string | null;
  },
  only?: string,
): Promise<void> {
  for (const target_id of await targetsOf(tx.sql, change.group_id)) {
    if (only !== undefined && only !== target_id) continue;
    const push_id = await notePush(tx.sql, {
      id: tx.ids.uuid(),
      target_id,
      group_id: change.group_id,
      user_id: change.user_id,
      request_id: change.request_id,
      created_at: tx.now,
      next_at: tx.now,
      give_up_at: plus(tx.now, PUSH_PATIENCE),
    });
    await tx.enqueue({ name: 'membership.push', payload: { push_id } });
  }
}
