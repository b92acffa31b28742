import type { Named, RequestTypeFinding } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import { type RequestTypeUse, usesOfRequestTypes } from '../policy/index.ts';
import { canBeMet } from './liveness.ts';
import { missingIn } from './missing.ts';
import type { Definition, Roster } from './model.ts';
import { setKey, setsOf } from './needs.ts';
import { loadManagers, loadRoster } from './store-roster.ts';
import { type Member, membersOfGroups, publishedTypes } from './store-types.ts';

/**
 * For every published request type and every active policy that uses it, whom it could
 * not serve: people to whom the policy offers something that nobody could approve for
 * them, or whom the type's audience keeps from asking.
 */
export async function lintRequestTypes(tx: Tx): Promise<RequestTypeFinding[]> {
  const uses = await usesOfRequestTypes(tx);
  const findings: RequestTypeFinding[] = [];
  for (const { id, name, version, definition } of await publishedTypes(tx.sql))
    for (const use of uses.filter((u) => u.request_type_id === id))
      for (const gap of await gapsOf(tx, definition as Definition, use))
        findings.push({
          request_type: { id, name },
          version,
          policy: use.policy,
          rule: use.rule,
          ...gap,
        });
  return findings;
}

type Why = Pick<RequestTypeFinding, 'reason' | 'step' | 'missing'>;
type Gap = Why & { people: Named[] };

async function gapsOf(tx: Tx, definition: Definition, use: RequestTypeUse): Promise<Gap[]> {
  const people = await membersOfGroups(tx.sql, use.group_ids, tx.now);
  const gaps = new Map<string, Gap>();
  const add = (why: Why, { id, name }: Member): void => {
    const key = JSON.stringify(why);
    const gap = gaps.get(key) ?? { ...why, people: [] };
    if (!gap.people.some((person) => person.id === id)) gap.people.push({ id, name });
    gaps.set(key, gap);
  };
  const meant = people.filter((person) => isMeant(definition, person));
  for (const person of people)
    if (!meant.includes(person))
      add({ reason: 'not_in_audience', step: null, missing: null }, person);
  for (const server_id of placesOf(definition, use)) {
    const rosterFor = await rosters(tx, definition, meant, server_id);
    for (const person of meant) {
      const requester = {
        ...{ id: person.id, token_issued_by: null, made_by: [] },
        raised_at: tx.now,
      };
      const alive = canBeMet(definition.steps, rosterFor(person), requester);
      if (alive.ok) continue;
      const missing = missingIn(alive.missing);
      add({ reason: 'no_eligible_approver', step: alive.name, missing }, person);
    }
  }
  return [...gaps.values()];
}

const isMeant = ({ audience }: Definition, { groups }: Member): boolean =>
  audience === 'everyone' || audience.groups.some((group) => groups.includes(group.id));

/** Where the owners of a server are asked, each resource group is a case of its own. */
const placesOf = (definition: Definition, use: RequestTypeUse): readonly (string | null)[] =>
  setsOf(definition.steps).some((set) => set.kind === 'resource_owner') ? use.servers : [null];

/** Of one requester and another only the manager differs: the rest is read once. */
async function rosters(
  tx: Tx,
  { steps }: Definition,
  people: readonly Member[],
  server_id: string | null,
): Promise<(person: Member) => Roster> {
  const managers = await loadManagers(
    tx.sql,
    people.map((person) => person.id),
  );
  const others = [...people.map((p) => p.id), ...[...managers.values()].map((m) => m.user_id)];
  const scope = {
    requester_id: NOBODY,
    since: tx.now,
    server_id,
    group_ids: [],
    sets: setsOf(steps),
    others,
  };
  const shared = await loadRoster(tx.sql, scope, tx.now);
  return (person) => {
    const manager = managers.get(person.id);
    const members = new Map(shared.members);
    members.set(setKey({ kind: 'manager' }), manager === undefined ? [] : [manager]);
    return { accounts: shared.accounts, members };
  };
}

const NOBODY = '00000000-0000-0000-0000-000000000000';
