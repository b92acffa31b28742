import { Refusal } from '../platform/errors.ts';
import { bumpRevisions, lockDeciding } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { peopleBehind } from '../workload/index.ts';
import type { Circumstances } from './may-decide.ts';
import type { Definition } from './model.ts';
import { setsOf } from './needs.ts';
import { humansBehindAll } from './people.ts';
import { cardOf, factsOf } from './service-facts.ts';
import { type DecisionRow, decisionsOf, lockRequest, type RequestRow } from './store.ts';
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
  const behind = await behindJob(tx, row);
  const named = [
    ...others,
    row.requester_token_issued_by,
    ...row.made_by,
    ...behind,
    ...decisions.flatMap((d) => [d.by_user_id, d.for_user_id, d.token_issued_by, ...d.persons]),
  ];
  const accounts = [...new Set(named)].filter((id) => id !== null);
  const delegations = await loadDelegations(tx.sql, accounts, tx.now);
  const roster = await loadRoster(
    tx.sql,
    {
      requester_id: row.requester_id,
      since: row.created_at,
      server_id: row.server_id,
      group_ids: groupIdsOf(row),
      sets: setsOf(definition.steps),
      // Whether the requester made a stand-in himself is asked of those who made it.
      others: [...named, ...delegations.flatMap((d) => [d.from, d.to, ...d.made_by])],
    },
    tx.now,
  );
  return {
    row,
    definition,
    decisions,
    circumstances: {
      request: factsOf(row, definition, decisions, behind),
      roster,
      delegations,
      now: tx.now,
    },
  };
}

/** Whom the accounts behind the job are known to be, at any time since the request was raised. */
const behindJob = async (tx: Tx, row: RequestRow): Promise<readonly string[]> => {
  const { job } = cardOf(row);
  return job === undefined ? [] : (await peopleBehind(tx, job, row.created_at)).made_by;
};

const groupIdsOf = ({ group_ids }: RequestRow): readonly string[] => group_ids?.split(',') ?? [];

/**
 * Locks everybody involved, then the request, then reads it; and again for those who came
 * into it before the request was locked.
 */
export async function lockAndLoad(
  tx: Tx,
  seen: Loaded,
  acting: readonly (string | null)[],
): Promise<Loaded> {
  const held = new Set<string>();
  for (let loaded = seen; ; ) {
    const wanted = involvedIn(loaded, acting).filter((id) => !held.has(id));
    if (held.size > 0 && wanted.length === 0) return loaded;
    // Whoever may be put into a group by it changes: not locked for reading first, which two
    // could do at once and then wait for one another.
    if (held.size === 0 && seen.row.purpose === 'group_membership')
      await bumpRevisions(tx.sql, [seen.row.requester_id]);
    await lockDeciding(tx.sql, wanted);
    for (const id of wanted) held.add(id);
    const row = await lockRequest(tx.sql, seen.row.id);
    if (row === undefined) throw noSuchRequest();
    loaded = await loadCircumstances(tx, row, acting);
  }
}

/**
 * Requester, actor, whom he stands for, everybody who voted, each with the people who stand
 * behind a service user, and the server.
 */
function involvedIn(loaded: Loaded, acting: readonly (string | null)[]): string[] {
  const { row, decisions, circumstances } = loaded;
  const accounts = [
    row.requester_id,
    row.requester_token_issued_by,
    ...acting,
    ...decisions.flatMap((d) => [d.by_user_id, d.for_user_id, d.token_issued_by, ...d.persons]),
  ];
  const behind = accounts.flatMap((id) => [...(humansBehindAll([id], circumstances.roster) ?? [])]);
  return [...accounts, ...behind, row.server_id].filter((id) => id !== null);
}
