import type { AccessRequest, Query, Relation } from '@postern/shared';
import type { Actor } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import { type PageRequest, pageOf } from '../platform/paging.ts';
import type { Tx } from '../platform/tx.ts';
import { mayDecide } from './may-decide.ts';
import { loadCircumstances } from './service-load.ts';
import { describeRequest } from './service-view.ts';
import { listRequests, pendingRequests, type RequestRow } from './store.ts';

/** Newest first, one more than the page holds when there is a next one. */
export async function listAccessRequests(
  tx: Tx,
  caller: Actor,
  relations: ReadonlySet<Relation>,
  query: Query<'listAccessRequests'>,
): Promise<AccessRequest[]> {
  const rows = await rowsFor(tx, caller, relations, query, pageOf(query));
  const list: AccessRequest[] = [];
  for (const row of rows) list.push(await describeRequest(tx, row));
  return list;
}

async function rowsFor(
  tx: Tx,
  caller: Actor,
  relations: ReadonlySet<Relation>,
  query: Query<'listAccessRequests'>,
  page: PageRequest,
): Promise<RequestRow[]> {
  const filter = {
    limit: page.limit,
    ...(page.after === undefined ? {} : { before: page.after }),
    ...(query.state === undefined ? {} : { state: query.state }),
  };
  switch (query.view ?? 'mine') {
    case 'mine':
      return listRequests(tx.sql, { ...filter, requester_id: caller.user_id });
    case 'to_decide':
      return listRequests(tx.sql, { ...filter, ids: await decidableBy(tx, caller) });
    case 'all':
      if (!relations.has('any'))
        throw new Refusal('not_permitted', 'Only an auditor or security_admin sees all requests.', {
          next: 'Ask for view=mine or view=to_decide.',
        });
      return listRequests(tx.sql, filter);
  }
}

/** Pending requests that the caller could decide now: himself, or as a stand-in. */
async function decidableBy(tx: Tx, caller: Actor): Promise<string[]> {
  const ids: string[] = [];
  for (const row of await pendingRequests(tx.sql)) {
    const { circumstances } = await loadCircumstances(tx, row, [
      caller.user_id,
      caller.token_issued_by,
    ]);
    const standsInFor = circumstances.delegations
      .filter((d) => d.to === caller.user_id)
      .map((d) => d.from);
    const may = [null, ...standsInFor].some(
      (for_user) =>
        mayDecide({
          ...circumstances,
          step: circumstances.request.step,
          actor: caller.user_id,
          for_user,
          token_issued_by: caller.token_issued_by,
        }).ok,
    );
    if (may) ids.push(row.id);
  }
  return ids;
}
