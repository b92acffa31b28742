import { REQUEST_TYPE_LIMITS as LIMITS, printableLines } from '@postern/shared';
import {
  type Fault,
  fault,
  optional,
  type Place,
  readInteger,
  readList,
  readObject,
  readText,
  refuseDuplicates,
  required,
  under,
} from './faults.ts';
import type { Action, Definition, Field, Purpose } from './model.ts';
import { readOnApproved, readOnDenied } from './parse-actions.ts';
import { readField } from './parse-fields.ts';
import { alternativesOf } from './parse-needs.ts';
import { type References, readGroup } from './parse-sets.ts';
import { readStep } from './parse-steps.ts';

export type ReadType =
  | { readonly ok: true; readonly definition: Definition }
  | { readonly ok: false; readonly errors: readonly Fault[] };

/**
 * Reads a request type as a person wrote it, checks it and resolves its names. Every
 * fault is told once, all of them together. Whether its steps can be met is another
 * question: see liveness.
 */
export function readRequestType(input: unknown, references: References): ReadType {
  const place: Place = { pointer: '', faults: [] };
  const definition = readDefinition(input, place, references);
  if (definition === undefined || place.faults.length > 0)
    return { ok: false, errors: place.faults };
  return { ok: true, definition };
}

const REQUIRED = ['name', 'purpose', 'audience', 'fields', 'steps', 'on_approved'];
const OPTIONAL = ['description', 'on_denied', 'accepts', 'chat', 'approver_mfa', 'grants_role'];

function readDefinition(
  input: unknown,
  place: Place,
  references: References,
): Definition | undefined {
  const given = readObject(input, place, REQUIRED, OPTIONAL);
  if (given === undefined) return undefined;
  const name = required(given, 'name', place, (v, at) => readText(v, at, 100));
  const description = optional(given, 'description', place, '', readDescription);
  const purpose = required(given, 'purpose', place, readPurpose);
  const audience = required(given, 'audience', place, (v, at) => readAudience(v, at, references));
  const { fields, fieldPlace } = readFields(given, place);
  const steps = required(given, 'steps', place, (v, at) => {
    const context = { references, purpose };
    return readList(v, at, { min: 1, max: LIMITS.steps }, (s, p) => readStep(s, p, context));
  });
  const ways = (steps ?? []).reduce((product, s) => product * alternativesOf(s.needs), 1);
  if (ways > LIMITS.alternatives)
    fault(
      under(place, 'steps'),
      'out_of_range',
      `together at most ${LIMITS.alternatives} ways to choose at every either`,
    );
  const actions = purpose && readActions(given, place, { references, purpose, fields, fieldPlace });
  const accepts = optional<readonly number[]>(given, 'accepts', place, [], readAccepts);
  const chat = optional(given, 'chat', place, false, readFlag);
  const approver_mfa = optional(given, 'approver_mfa', place, null, (v, at) =>
    readApproverMfa(v, at, chat),
  );
  const grants_role = optional(given, 'grants_role', place, false, (v, at) =>
    readGrantsRole(v, at, purpose),
  );
  if (name === undefined || description === undefined || purpose === undefined) return undefined;
  if (audience === undefined || steps === undefined || actions === undefined) return undefined;
  if (accepts === undefined || chat === undefined || grants_role === undefined) return undefined;
  if (approver_mfa === undefined) return undefined;
  const asked = { name, description, purpose, audience, fields, steps };
  return { ...asked, ...actions, accepts, chat, approver_mfa, grants_role };
}

function readDescription(value: unknown, place: Place): string | undefined {
  if (typeof value !== 'string') return fault(place, 'invalid_type', 'must be a text');
  if (value.length > 2000) return fault(place, 'out_of_range', 'must have at most 2000 characters');
  if (printableLines(value) !== value)
    return fault(place, 'invalid_value', 'must have no control or invisible characters');
  return value;
}

const readFlag = (value: unknown, place: Place): boolean | undefined =>
  typeof value === 'boolean' ? value : fault(place, 'invalid_type', 'must be true or false');

function readApproverMfa(
  value: unknown,
  place: Place,
  chat: boolean | undefined,
): 'any' | 'phr' | undefined {
  if (value !== 'any' && value !== 'phr')
    return fault(place, 'invalid_value', 'must be any or phr');
  if (chat !== true) return value;
  return fault(
    place,
    'not_with_chat',
    'nobody can prove himself in a chat: leave out this or chat',
  );
}

function readGrantsRole(
  value: unknown,
  place: Place,
  purpose: Purpose | undefined,
): boolean | undefined {
  if (value === true && purpose === 'server_access')
    return fault(place, 'not_for_purpose', 'grants_role is only for the purpose group_membership');
  return readFlag(value, place);
}

const readPurpose = (value: unknown, place: Place): Purpose | undefined =>
  value === 'server_access' || value === 'group_membership'
    ? value
    : fault(place, 'invalid_value', 'must be server_access or group_membership');

function readAudience(
  value: unknown,
  place: Place,
  references: References,
): Definition['audience'] | undefined {
  if (value === 'everyone') return value;
  if (typeof value === 'string')
    return fault(place, 'invalid_value', 'must be everyone or {groups: […]}');
  const fields = readObject(value, place, ['groups']);
  if (fields === undefined) return undefined;
  const found: { readonly id: string; readonly at: Place }[] = [];
  const groups = required(fields, 'groups', place, (list, at) =>
    readList(list, at, { min: 1, max: LIMITS.audience_groups }, (item, p) => {
      if (typeof item !== 'string') return fault(p, 'invalid_type', 'must be a text');
      const group = readGroup(item, p, references);
      if (group === undefined) return undefined;
      found.push({ id: group.id, at: p });
      return { id: group.id, name: group.name };
    }),
  );
  refuseDuplicates(
    found,
    (i) => found[i]!.at,
    (g) => g.id,
  );
  return groups && { groups };
}

/** The fields that are right, and where each stands, which the actions that use them need to know. */
function readFields(
  given: Readonly<Record<string, unknown>>,
  place: Place,
): { readonly fields: readonly Field[]; readonly fieldPlace: (key: string) => Place } {
  const found: { readonly key: string; readonly at: Place }[] = [];
  const fields = required(given, 'fields', place, (list, at) =>
    readList(list, at, { min: 0, max: LIMITS.fields }, (item, p) => {
      const field = readField(item, p);
      if (field !== undefined) found.push({ key: field.key, at: p });
      return field;
    }),
  );
  refuseDuplicates(
    found,
    (i) => under(found[i]!.at, 'key'),
    (f) => f.key,
  );
  return {
    fields: fields ?? [],
    fieldPlace: (key) => found.find((f) => f.key === key)?.at ?? under(place, 'fields'),
  };
}

function readActions(
  given: Readonly<Record<string, unknown>>,
  place: Place,
  context: Parameters<typeof readOnApproved>[2],
): Pick<Definition, 'on_approved' | 'on_denied'> | undefined {
  const denied: readonly Action[] =
    context.purpose === 'server_access' ? [{ kind: 'deny_access' }] : [];
  const on_approved = required(given, 'on_approved', place, (v, at) =>
    readOnApproved(v, at, context),
  );
  const on_denied = optional(given, 'on_denied', place, denied, (v, at) =>
    readOnDenied(v, at, context.purpose),
  );
  return on_approved && on_denied && { on_approved, on_denied };
}

function readAccepts(value: unknown, place: Place): readonly number[] | undefined {
  const found: { readonly version: number; readonly at: Place }[] = [];
  const versions = readList(value, place, { min: 0, max: LIMITS.accepts }, (item, at) => {
    const version = readInteger(item, at, { min: 1, max: 1_000_000 });
    if (version !== undefined) found.push({ version, at });
    return version;
  });
  refuseDuplicates(
    found,
    (i) => found[i]!.at,
    (v) => `${v.version}`,
  );
  return versions;
}
