import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { type Admins, locksEverybodyOut } from './admins.ts';
import { countAdmins } from './store-groups.ts';

/** @param before counted under the administration lock, before the change */
export async function refuseLockout(tx: Tx, before: Admins): Promise<void> {
  if (!locksEverybodyOut(before, await countAdmins(tx.sql, tx.now))) return;
  throw new Refusal(
    'state_conflict',
    'This would leave no active person with the role pam_admin.',
    {
      next: 'Give pam_admin to somebody else first.',
    },
  );
}
