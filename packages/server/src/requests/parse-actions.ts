import { fault, type Place, readList, readObject, required, under } from './faults.ts';
import type { Action, Field, GroupRef, Purpose } from './model.ts';
import { type References, readGroup } from './parse-sets.ts';

export interface ActionContext {
  readonly references: References;
  readonly purpose: Purpose;
  readonly fields: readonly Field[];
  /** Where the fields stand in what was read. */
  readonly fieldPlace: (key: string) => Place;
}

/** What an approval does: grant_access for servers, add_to_group for groups; never both, never nothing. */
export function readOnApproved(
  value: unknown,
  place: Place,
  context: ActionContext,
): readonly Action[] | undefined {
  const max = context.purpose === 'server_access' ? 1 : 5;
  return readList(value, place, { min: 1, max }, (item, at): Action | undefined => {
    if (item === 'grant_access') {
      if (context.purpose === 'server_access') return { kind: 'grant_access' };
      return fault(at, 'not_for_purpose', 'grant_access is only for the purpose server_access');
    }
    if (typeof item === 'string')
      return fault(at, 'invalid_value', 'must be grant_access or {add_to_group: {group, until}}');
    const fields = readObject(item, at, ['add_to_group']);
    if (fields === undefined || !Object.hasOwn(fields, 'add_to_group')) return undefined;
    if (context.purpose !== 'group_membership')
      return fault(at, 'not_for_purpose', 'add_to_group is only for the purpose group_membership');
    return required(fields, 'add_to_group', at, (v, p) => readAddToGroup(v, p, context));
  });
}

/** A denial tells the service so where it is about servers; for groups there is nothing to do. */
export function readOnDenied(
  value: unknown,
  place: Place,
  purpose: Purpose,
): readonly Action[] | undefined {
  const count = purpose === 'server_access' ? 1 : 0;
  if (count === 0 && Array.isArray(value) && value.includes('deny_access'))
    return fault(place, 'not_for_purpose', 'deny_access is only for the purpose server_access');
  return readList(value, place, { min: count, max: count }, (item, at): Action | undefined =>
    item === 'deny_access'
      ? { kind: 'deny_access' }
      : fault(at, 'invalid_value', 'must be deny_access'),
  );
}

function readAddToGroup(value: unknown, place: Place, context: ActionContext): Action | undefined {
  const fields = readObject(value, place, ['group', 'until']);
  if (fields === undefined) return undefined;
  const group = required(fields, 'group', place, (v, at) => readGroupRef(v, at, context));
  const until = required(fields, 'until', place, (v, at) =>
    readAnswerRef(v, at, context, ['date', 'duration']),
  );
  if (group === undefined || until === undefined) return undefined;
  return { kind: 'add_to_group', group, until: { field: until.key } };
}

function readGroupRef(value: unknown, place: Place, context: ActionContext): GroupRef | undefined {
  if (typeof value === 'string' && !value.startsWith('$')) {
    const group = readGroup(value, place, context.references);
    return group && { id: group.id, name: group.name };
  }
  const field = readAnswerRef(value, place, context, ['choice']);
  if (field?.type !== 'choice') return undefined;
  const options = under(context.fieldPlace(field.key), 'options');
  const groups = field.options.flatMap((option, i) => {
    const group = readGroup(option.value, under(options, i), context.references);
    return group === undefined ? [] : { value: option.value, id: group.id, name: group.name };
  });
  return { field: field.key, groups };
}

/** `$key` of a required field of one of `types`. */
function readAnswerRef(
  value: unknown,
  place: Place,
  context: ActionContext,
  types: readonly Field['type'][],
): Field | undefined {
  if (typeof value !== 'string') return fault(place, 'invalid_type', 'must be a text');
  const wanted = `must be $key of a required ${types.join(' or ')} field`;
  if (!value.startsWith('$')) return fault(place, 'invalid_value', wanted);
  const field = context.fields.find((f) => f.key === value.slice(1));
  if (field === undefined) return fault(place, 'unknown_answer', wanted);
  if (types.includes(field.type) && field.required) return field;
  return fault(place, 'invalid_value', wanted);
}
