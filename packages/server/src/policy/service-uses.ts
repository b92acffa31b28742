import type { Tx } from '../platform/tx.ts';
import type { ServerFacts } from './facts.ts';
import type { Named, SecurityPolicy, Selector } from './model.ts';
import { loadPolicies, loadServerFacts } from './store.ts';

/** A rule of an active policy that opens something on condition of an access request. */
export interface RequestTypeUse {
  readonly policy: Named;
  readonly rule: string;
  readonly request_type_id: string;
  readonly group_ids: readonly string[];
  /** Ids of the servers it selects now, one of each resource group: who owns them is what differs. */
  readonly servers: readonly string[];
}

/** Which rules name which request types, on the inventory as it is now. */
export async function usesOfRequestTypes(tx: Tx): Promise<RequestTypeUse[]> {
  const servers = await loadServerFacts(tx.sql);
  return (await loadPolicies(tx.sql)).flatMap((policy) =>
    policy.rules.flatMap((rule) =>
      rule.conditions.flatMap((condition) =>
        condition.condition_type === 'access_request'
          ? [
              {
                policy: { id: policy.id, name: policy.name },
                rule: rule.name,
                request_type_id: condition.request_type.id,
                group_ids: policy.principals.user_groups.map((group) => group.id),
                servers: onePerResourceGroup(
                  servers.filter((server) =>
                    rule.resource_selector.selectors.some((s) => selects(policy, s, server)),
                  ),
                ),
              },
            ]
          : [],
      ),
    ),
  );
}

/** Active policies that have one of the groups among their principals: their names, by group. */
export async function policiesOfGroups(
  tx: Tx,
  groupIds: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const policies = await loadPolicies(tx.sql);
  return new Map(
    groupIds.map((id) => [
      id,
      policies
        .filter((p) => p.active && p.principals.user_groups.some((group) => group.id === id))
        .map((p) => p.name),
    ]),
  );
}

function selects(policy: SecurityPolicy, selector: Selector, server: ServerFacts): boolean {
  if (policy.resource_group !== null && policy.resource_group.id !== server.resource_group_id)
    return false;
  if (selector.selector_type !== 'server_label') return selector.server.id === server.id;
  return Object.entries(selector.server_selector.labels).every(
    ([key, value]) => Object.hasOwn(server.labels, key) && server.labels[key] === value,
  );
}

const onePerResourceGroup = (servers: readonly ServerFacts[]): string[] => [
  ...new Map(servers.map((server) => [server.resource_group_id, server.id])).values(),
];
