import type { AccessRequest, Relation } from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import type { Tx } from '../platform/tx.ts';
import { noSuchRequest } from './service-load.ts';
import { targetsOf } from './service-state.ts';
import { describeRequest, findVisible } from './service-view.ts';
import { insertComment, lockRequest } from './store.ts';

/** A comment changes nothing that is decided on, so the ETag stays. */
export async function commentRequest(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
  text: string,
): Promise<AccessRequest> {
  await findVisible(tx, caller, relations, id);
  const row = await lockRequest(tx.sql, id);
  if (row === undefined) throw noSuchRequest();
  await insertComment(tx.sql, {
    id: tx.ids.uuid(),
    request_id: id,
    by_user_id: caller.user_id,
    text,
    created_at: tx.now,
  });
  await tx.audit({
    type: 'access.request.comment',
    actor: userRef(caller),
    targets: targetsOf(row),
    outcome: SUCCESS,
    request_id: id,
    details: { text },
  });
  await tx.signal({ kind: 'request', id });
  return describeRequest(tx, row);
}
