import type { Place } from './faults.ts';
import type { Named } from './model.ts';
import { readFields, readText } from './read.ts';

/** A server as far as checking a policy needs it. */
export interface ServerReference extends Named {
  readonly resource_group_id: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly admin_account_template: string | null;
}

export interface RequestTypeReference extends Named {
  readonly purpose: 'server_access' | 'group_membership';
  readonly published_version: number | null;
}

/** The policy that is being replaced: its rules keep their ids. */
export interface PreviousPolicy {
  readonly rules: readonly Named[];
}

/** The world a policy refers to, read in the transaction that writes the policy. */
export interface References {
  readonly groups: Directory<Named>;
  readonly resource_groups: Directory<Named>;
  readonly servers: Directory<ServerReference>;
  readonly request_types: Directory<RequestTypeReference>;
  /** Names of the other policies. */
  readonly taken_names: ReadonlySet<string>;
  readonly previous: PreviousPolicy | null;
}

/** Things of one kind, found by id and by name. A name that several have is found by none. */
export interface Directory<T extends Named> {
  readonly all: readonly T[];
  readonly byId: ReadonlyMap<string, T>;
  readonly byName: ReadonlyMap<string, T>;
}

export function directory<T extends Named>(all: readonly T[]): Directory<T> {
  const byName = new Map<string, T>();
  const ambiguous = new Set<string>();
  for (const thing of all) {
    if (byName.has(thing.name)) ambiguous.add(thing.name);
    byName.set(thing.name, thing);
  }
  for (const name of ambiguous) byName.delete(name);
  return { all, byId: new Map(all.map((thing) => [thing.id, thing])), byName };
}

/** `{id}`, `{name}`, or both when they mean the same thing. */
export function readReference<T extends Named>(
  value: unknown,
  place: Place,
  things: Directory<T>,
): T | undefined {
  const fields = readFields(value, place, ['id', 'name']);
  if (fields === undefined) return undefined;
  if (fields.id === undefined && fields.name === undefined)
    return place.fault('missing_field', 'Name it by id or by name.');
  if (fields.id === undefined) return find(fields.name, place.at('name'), things.byName);
  const thing = find(fields.id, place.at('id'), things.byId);
  if (thing !== undefined && fields.name !== undefined && fields.name !== thing.name)
    return place.at('name').fault('reference_mismatch', `The id is that of ${thing.name}.`);
  return thing;
}

function find<T>(value: unknown, place: Place, things: ReadonlyMap<string, T>): T | undefined {
  const key = readText(value, place, { max: 253 });
  if (key === undefined) return undefined;
  return things.get(key) ?? place.fault('unknown_reference', 'There is no such thing.');
}

/** Only what is stored of a thing that is referred to. */
export const named = ({ id, name }: Named): Named => ({ id, name });
