import { badPath, badValue, immutable } from './fault.ts';
import type { Filter } from './filter.ts';
import { isWhole, type Operation } from './patch.ts';
import { isObject } from './resource.ts';
import { GROUP } from './schemas.ts';

/**
 * What becomes of a group. Members are changes, never the list of all: who adds one to ten
 * thousand reads and writes one.
 */
export interface GroupChange {
  readonly displayName?: string;
  readonly externalId?: string | null;
  /** Everybody who was in it leaves, but for those in `add`. */
  readonly clear: boolean;
  readonly add: ReadonlySet<string>;
  readonly remove: ReadonlySet<string>;
}

const PREFIX = `${GROUP.toLowerCase()}:`;

/** Folds the operations in their order. @throws ScimFault */
export function foldGroup(operations: readonly Operation[], id: string): GroupChange {
  const add = new Set<string>();
  const remove = new Set<string>();
  let clear = false;
  let named: { displayName?: string; externalId?: string | null } = {};
  const drop = (member: string): void => {
    add.delete(member);
    remove.add(member);
  };
  for (const { op, path, value } of operations) {
    const attribute = path.attribute.replace(PREFIX, '');
    if (attribute === 'members') {
      if (op === 'remove') {
        const gone = path.filter === null ? undefined : membersNamed(path.filter);
        if (path.sub !== null) throw badPath('A member is removed as a whole.');
        const which = gone ?? (value == null ? undefined : readMembers(value));
        if (which === undefined) {
          clear = true;
          add.clear();
          remove.clear();
        } else for (const member of which) drop(member);
        continue;
      }
      if (!isWhole(path)) throw badPath('Members are added and removed, not changed.');
      if (op === 'replace') {
        clear = true;
        add.clear();
        remove.clear();
      }
      for (const member of readMembers(value)) {
        add.add(member);
        remove.delete(member);
      }
      continue;
    }
    if (!isWhole(path)) throw badPath(`${attribute} has nothing within it.`);
    if (attribute === 'displayname') {
      if (op === 'remove') throw immutable('A group without displayName');
      named = { ...named, displayName: readText(value, 'displayName') };
    } else if (attribute === 'externalid')
      named = {
        ...named,
        externalId: op === 'remove' || value === null ? null : readText(value, 'externalId'),
      };
    // One provider names the group again in the value.
    else if (attribute === 'id' && op === 'replace' && value === id) continue;
    else if (['id', 'meta', 'schemas'].includes(attribute)) throw immutable(attribute);
    else throw badPath(`A group has no attribute ${attribute}.`);
  }
  return { ...named, clear, add, remove };
}

/** Ids of `members`, as they were sent. @throws ScimFault `invalidValue` */
export function readMembers(value: unknown): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map((member) => {
    if (!isObject(member) || typeof member.value !== 'string')
      throw badValue('A member is an object with the value of its id.');
    if (typeof member.type === 'string' && member.type.toLowerCase() !== 'user')
      throw badValue('Members of a group are users.');
    return member.value;
  });
}

/** `value eq "…"`, also several joined by or. */
function membersNamed(filter: Filter): string[] {
  if (filter.kind === 'or') return filter.terms.flatMap(membersNamed);
  if (
    filter.kind === 'compare' &&
    filter.attribute === 'value' &&
    filter.operator === 'eq' &&
    typeof filter.value === 'string'
  )
    return [filter.value];
  throw badPath('Members are named by members[value eq "<id>"].');
}

function readText(value: unknown, name: string): string {
  if (typeof value !== 'string' || value === '') throw badValue(`${name} is text.`);
  return value;
}
