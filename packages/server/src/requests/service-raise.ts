import type { NewAccessRequest } from '@postern/shared';
import type { Actor } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { raiseForGroups } from './service-raise-groups.ts';
import type { Raised } from './service-raise-row.ts';
import { raiseForServer } from './service-raise-server.ts';
import { lockRaising } from './store.ts';

/**
 * Raises an access request: for an account on a server, or for membership in groups.
 *
 * @param clientAddress undefined: unknown, which meets no condition on it.
 */
export async function raiseRequest(
  tx: Tx,
  caller: Actor,
  input: NewAccessRequest,
  clientAddress: string | undefined,
): Promise<Raised> {
  await lockRaising(tx.sql, caller.user_id);
  const { target } = input;
  if (caller.binding !== null && target.type !== 'server_access')
    throw new Refusal('not_permitted', 'A job can ask for access to a server only.', {
      next: 'Membership would be its service user’s, and so every job’s: a person asks for it.',
    });
  if (target.type === 'server_access')
    return raiseForServer(tx, caller, { ...input, target }, clientAddress);
  return raiseForGroups(tx, caller, input, clientAddress);
}
