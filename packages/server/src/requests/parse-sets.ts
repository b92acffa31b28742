import { REQUEST_TYPE_LIMITS as LIMITS } from '@postern/shared';
import { fault, type Place, readList, refuseDuplicates } from './faults.ts';
import type { ApproverSet, Purpose } from './model.ts';
import { setKey } from './needs.ts';

/** What names in a request type mean now. */
export interface References {
  /** Name → id. */
  readonly groups: ReadonlyMap<string, string>;
  /** Login → id and the name for people. */
  readonly users: ReadonlyMap<string, { readonly id: string; readonly name: string }>;
}

export interface SetContext {
  readonly references: References;
  /** Undefined while the purpose itself is at fault: then nothing is held against it. */
  readonly purpose: Purpose | undefined;
}

/** A list of approver sets, each once. */
export function readSets(
  value: unknown,
  place: Place,
  context: SetContext,
): readonly ApproverSet[] | undefined {
  const found: { readonly set: ApproverSet; readonly at: Place }[] = [];
  const list = readList(value, place, { min: 1, max: LIMITS.sets }, (item, at) => {
    const set = readSet(item, at, context);
    if (set !== undefined) found.push({ set, at });
    return set;
  });
  refuseDuplicates(
    found,
    (i) => found[i]!.at,
    ({ set }) => setKey(set),
  );
  return list;
}

function readSet(value: unknown, place: Place, context: SetContext): ApproverSet | undefined {
  if (typeof value !== 'string') return fault(place, 'invalid_type', 'must be a text');
  if (value === 'manager') return { kind: 'manager' };
  if (value === 'resource_owner' || value === 'group_owner') {
    const purpose = value === 'resource_owner' ? 'server_access' : 'group_membership';
    if (context.purpose !== undefined && context.purpose !== purpose)
      return fault(
        place,
        'not_for_purpose',
        `there is a ${value} only where the purpose is ${purpose}`,
      );
    return { kind: value };
  }
  const name = value.slice(value.indexOf(':') + 1);
  if (value.startsWith('group:')) return readGroup(name, place, context.references);
  if (value.startsWith('user:')) {
    const user = context.references.users.get(name);
    if (user === undefined) return fault(place, 'unknown_user', 'there is no user with this login');
    return { kind: 'user', ...user };
  }
  return fault(
    place,
    'invalid_value',
    'must be manager, resource_owner, group_owner, group:<name> or user:<login>',
  );
}

export function readGroup(
  name: string,
  place: Place,
  references: References,
): { readonly kind: 'group'; readonly id: string; readonly name: string } | undefined {
  const id = references.groups.get(name);
  if (id === undefined) return fault(place, 'unknown_group', 'there is no group with this name');
  return { kind: 'group', id, name };
}
