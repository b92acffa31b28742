import { type Fault, Place } from './faults.ts';
import type { Named, SecurityPolicy } from './model.ts';
import {
  complete,
  readBoolean,
  readEach,
  readFields,
  readList,
  readText,
  refuseRepeated,
} from './read.ts';
import { named, type References, readReference } from './references.ts';
import { type RuleDraft, readRules } from './validate-rules.ts';

const NAME = { max: 200 };

/** A policy that is valid but has no id yet; a rule's id is null when it is a new rule. */
export type PolicyDraft = Omit<SecurityPolicy, 'id' | 'rules'> & {
  readonly rules: readonly RuleDraft[];
};

export type Validation =
  | { readonly ok: true; readonly policy: PolicyDraft }
  | { readonly ok: false; readonly errors: readonly Fault[] };

/**
 * Checks what a person wrote as a security policy, against the world it refers to. Nothing
 * is skipped or guessed: a field, selector, privilege or condition that is not known is
 * refused. Every fault is reported, each once, where it is. Lists come back in canonical
 * order, names and ids of what is referred to filled in.
 */
export function validate(input: unknown, references: References): Validation {
  const faults: Fault[] = [];
  const policy = readPolicy(input, new Place(faults), references);
  if (faults.length > 0 || policy === undefined) return { ok: false, errors: faults };
  return { ok: true, policy };
}

/** Gives a valid draft its ids: the policy's, and a new one for each rule that has none. */
export function identify(draft: PolicyDraft, id: string, newId: () => string): SecurityPolicy {
  return { id, ...draft, rules: draft.rules.map((rule) => ({ ...rule, id: rule.id ?? newId() })) };
}

function readPolicy(input: unknown, place: Place, references: References): PolicyDraft | undefined {
  const known = ['name', 'description', 'active', 'principals', 'resource_group', 'rules'];
  const fields = readFields(input, place, known);
  if (fields === undefined) return undefined;
  const name = readPolicyName(fields.name, place.at('name'), references);
  const description = readText(fields.description ?? '', place.at('description'), {
    min: 0,
    max: 2000,
  });
  const active = readBoolean(fields.active, place.at('active'));
  const groups = readPrincipals(fields.principals, place.at('principals'), references);
  const group = readResourceGroup(fields.resource_group, place.at('resource_group'), references);
  const scope = { references, resource_group: group };
  const rules = readRules(fields.rules, place.at('rules'), scope);
  if (name === undefined || description === undefined || active === undefined) return undefined;
  if (groups === undefined || group === undefined || rules === undefined) return undefined;
  const principals = { user_groups: groups };
  return { name, description, active, principals, resource_group: group, rules };
}

function readPolicyName(value: unknown, place: Place, references: References) {
  const name = readText(value, place, NAME);
  if (name === undefined || !references.taken_names.has(name)) return name;
  return place.fault('duplicate', 'Another policy has this name.');
}

/** Never empty: a policy for nobody is a mistake, and one for everybody names that group. */
function readPrincipals(
  value: unknown,
  place: Place,
  references: References,
): readonly Named[] | undefined {
  const fields = readFields(value, place, ['user_groups']);
  if (fields === undefined) return undefined;
  const at = place.at('user_groups');
  const items = readList(fields.user_groups, at, { min: 1, max: 100 });
  const groups = readEach(items, at, (item, p) => readReference(item, p, references.groups));
  refuseRepeated(
    groups,
    (g) => g.id,
    (i) => at.at(i),
  );
  return complete(groups)?.map(named);
}

/** null, or left out: every resource group. */
function readResourceGroup(
  value: unknown,
  place: Place,
  references: References,
): Named | null | undefined {
  if (value === undefined || value === null) return null;
  const group = readReference(value, place, references.resource_groups);
  return group && named(group);
}
