import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import type { Circumstances } from './may-decide.ts';
import type { Definition } from './model.ts';
import { setsOf } from './needs.ts';
import { factsOf } from './service-facts.ts';
import { type DecisionRow, decisionsOf, type RequestRow } from './store.ts';
import { loadDelegations, loadRoster } from './store-roster.ts';
import { findVersion } from './store-types.ts';

/** A request with everything that the rules of deciding ask about. */
export interface Loaded {
  readonly row: RequestRow;
  readonly definition: Definition;
  readonly decisions: readonly DecisionRow[];
  readonly circumstances: Circumstances;
}

export const noSuchRequest = (): Refusal =>
  new Refusal('not_found', 'There is no such access request, or it is not yours to see.', {
    next: 'See your requests: sft request list',
  });

/** @param others accounts that must be known besides: the actor, whom he stands in for. */
export async function loadCircumstances(
  tx: Tx,
  row: RequestRow,
  others: readonly (string | null)[] = [],
): Promise<Loaded> {
  const version = await findVersion(tx.sql, row.request_type_id, row.request_type_version);
  if (version === undefined) throw new Error(`request ${row.id}: its type's version is gone`);
  const definition = version.definition as Definition;
  const decisions = await decisionsOf(tx.sql, row.id);
  const named = [
    ...others,
    row.requester_token_issued_by,
    ...decisions.flatMap((d) => [d.by_user_id, d.for_user_id, d.token_issued_by, ...d.persons]),
  ];
  const roster = await loadRoster(
    tx.sql,
    {
      requester_id: row.requester_id,
      since: row.created_at,
      server_id: row.server_id,
      sets: setsOf(definition.steps),
      others: named,
    },
    tx.now,
  );
  const accounts = [...new Set(named)].filter((id) => id !== null);
  const delegations = await loadDelegations(tx.sql, accounts, tx.now);
  return {
    row,
    definition,
    decisions,
    circumstances: {
      request: factsOf(row, definition, decisions),
      roster,
      delegations,
      now: tx.now,
    },
  };
}
