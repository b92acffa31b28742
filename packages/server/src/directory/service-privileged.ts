import type { Group, GroupSource } from '@postern/shared';
import { type Caller, eventBy, makersOf, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { type RequestDemand, unnamedSources, whyNotInto, wordsOf } from './privileged.ts';
import {
  deleteGroupSource,
  demandOfRequest,
  insertGroupSource,
  lockGroupShared,
  lockGroups,
  privilegedUses,
  sourcesOfGroups,
  undirectedSources,
} from './store-privileged.ts';

interface Named {
  readonly id: string;
  readonly name: string;
}

/**
 * To be called after whatever may have made these groups privileged (a role, a published
 * request type, a policy) or taken a source from them. Refused while one of them has
 * members by a source that it does not name, or is pushed and does not name scim.
 *
 * It holds the groups' rows until the end, and whoever adds a member by such a source reads
 * under the same lock: of the two, the later one sees the other.
 */
export async function refuseUnnamedSources(tx: Tx, groupIds: readonly string[]): Promise<void> {
  if (groupIds.length === 0) return;
  const groups = await lockGroups(tx.sql, groupIds);
  const uses = await privilegedUses(tx.sql, groupIds);
  if (uses.length === 0) return;
  const named = await sourcesOfGroups(tx.sql, groupIds);
  const live = await undirectedSources(tx.sql, groupIds, tx.now);
  for (const group of groups) {
    const of = <T extends { readonly group_id: string }>(rows: readonly T[]): T[] =>
      rows.filter((row) => row.group_id === group.id);
    const facts = {
      uses: of(uses),
      named: of(named).map((row) => row.source),
      pushed: group.source === 'scim',
      live: of(live)
        .filter(
          ({ source, demand }) =>
            source !== 'request' || whyNotInto(demand ?? { steps: [] }, of(uses)) !== undefined,
        )
        .map((row) => row.source),
    };
    const [source] = unnamedSources(facts);
    if (source === undefined) continue;
    const why = facts.uses.map(wordsOf).join(', ');
    if (source === 'request')
      throw new Refusal(
        'state_conflict',
        `${group.name} would be privileged (${why}), and somebody is in it by a request whose type does not say grants_role, or that one person alone could approve.`,
        { next: 'End that membership first: `sft-admin groups members` shows it.' },
      );
    throw new Refusal(
      'state_conflict',
      `${group.name} would be privileged (${why}), and has members by ${source}, a source that it does not name.`,
      {
        next: 'End those memberships, or name the source first: `sft-admin groups sources`.',
      },
    );
  }
}

/** Refuses a member by scim or by a rule where the group is privileged and does not name that. */
export async function refuseSourceInto(tx: Tx, group: Named, source: GroupSource): Promise<void> {
  await lockGroupShared(tx.sql, group.id);
  const uses = await privilegedUses(tx.sql, [group.id]);
  if (uses.length === 0) return;
  if ((await sourcesOfGroups(tx.sql, [group.id])).some((row) => row.source === source)) return;
  throw new Refusal(
    'not_permitted',
    `${group.name} is a privileged group, which nobody joins by ${source}.`,
    { next: 'A pam_admin may name that source: `sft-admin groups sources`.' },
  );
}

/**
 * Refuses a request of this type into the group where that is privileged and the type does
 * not say `grants_role`, or one person alone could give a role or a say in approvals by it. Asked when the type is published,
 * when a request is raised, and when it is approved: the group may have become privileged
 * in between.
 */
export async function refuseRequestInto(
  tx: Tx,
  groupId: string,
  demand: RequestDemand,
): Promise<void> {
  await lockGroupShared(tx.sql, groupId);
  const why = whyNotInto(demand, await privilegedUses(tx.sql, [groupId]));
  if (why === undefined) return;
  const [pointer, detail] = {
    grants_role: ['/grants_role', 'must be true: the type puts people into a privileged group'],
    two_people: ['/steps', 'must take two people: the type puts them into a privileged group'],
  }[why] as [string, string];
  throw new Refusal(
    'state_conflict',
    why === 'grants_role'
      ? 'The group is privileged, and this request type puts nobody into such a group.'
      : 'The group is privileged, and one person alone could approve requests of this type.',
    {
      errors: [{ pointer, code: why, detail }],
      next:
        why === 'grants_role'
          ? 'A security_admin may publish the type with grants_role: true.'
          : 'A security_admin may publish the type with steps that take two people.',
    },
  );
}

/** As {@link refuseRequestInto}, for the type that the request runs. */
export async function refuseMemberByRequest(tx: Tx, group: Named, id: string): Promise<void> {
  const demand = await demandOfRequest(tx.sql, id);
  await refuseRequestInto(tx, group.id, demand ?? { steps: [] });
}

/** For people: what makes each of them privileged, and the sources that it names. */
export async function describePrivileges(
  tx: Tx,
  groupIds: readonly string[],
): Promise<(id: string) => Pick<Group, 'privileged_by' | 'privileged_sources'>> {
  const uses = await privilegedUses(tx.sql, groupIds);
  const sources = await sourcesOfGroups(tx.sql, groupIds);
  return (id) => ({
    privileged_by: uses.filter((use) => use.group_id === id).map(wordsOf),
    privileged_sources: sources.filter((row) => row.group_id === id).map((row) => row.source),
  });
}

/**
 * Gives the group exactly these sources. What is taken away is taken after `between`, and
 * what is added before it: one document may give a role together with the source, or end
 * both.
 *
 * @returns what changed, a line each
 */
export async function changeSources(
  tx: Tx,
  caller: Caller,
  group: Named,
  wanted: readonly GroupSource[],
  between: () => Promise<string[]> = async () => [],
): Promise<string[]> {
  await lockGroups(tx.sql, [group.id]);
  const held = (await sourcesOfGroups(tx.sql, [group.id])).map((row) => row.source);
  const added = wanted.filter((source) => !held.includes(source));
  const removed = held.filter((source) => !wanted.includes(source));
  for (const source of added)
    await insertGroupSource(tx.sql, {
      group_id: group.id,
      source,
      made_by: json(makersOf(caller)),
      created_at: tx.now,
    });
  const others = await between();
  for (const source of removed) await deleteGroupSource(tx.sql, group.id, source);
  if (removed.length > 0) await refuseUnnamedSources(tx, [group.id]);
  const changes = [
    ...added.map((source) => `source named: ${source}`),
    ...removed.map((source) => `source no longer named: ${source}`),
  ];
  if (changes.length > 0) {
    await tx.audit(eventBy(caller, 'pam.group.update', [refTo('group', group)], { changes }));
    await tx.signal({ kind: 'group', id: group.id });
  }
  return [...changes, ...others];
}
