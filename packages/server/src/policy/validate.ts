import type { Seconds } from '@postern/shared';
import { type Fault, Place } from './faults.ts';
import { isAdminTemplate } from './identity.ts';
import type { Named, Privilege, Rule, SecurityPolicy, Selector } from './model.ts';
import {
  complete,
  type Fields,
  readBoolean,
  readEach,
  readFields,
  readInteger,
  readList,
  readOneOf,
  readText,
  refuseRepeated,
} from './read.ts';
import { named, type References, readReference, type ServerReference } from './references.ts';
import { readConditions } from './validate-conditions.ts';
import { readPrivileges } from './validate-privileges.ts';
import { readSelectors, type Scope } from './validate-selectors.ts';

export const MAX_RULES = 20;
const NAME = { max: 200 };
const CHECKOUT_SECONDS = { min: 60, max: 30 * 86_400 };

/** A policy that is valid but has no id yet; a rule's id is null when it is a new rule. */
export type PolicyDraft = Omit<SecurityPolicy, 'id' | 'rules'> & {
  readonly rules: readonly RuleDraft[];
};
export type RuleDraft = Omit<Rule, 'id'> & { readonly id: string | null };

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

function readRules(value: unknown, place: Place, scope: Scope): readonly RuleDraft[] | undefined {
  const items = readList(value, place, { min: 1, max: MAX_RULES });
  const rules = readEach(items, place, (item, at) => readRule(item, at, scope));
  refuseRepeated(
    rules,
    (rule) => rule.name,
    (i) => place.at(i).at('name'),
  );
  refuseRepeated(
    rules?.map((rule) => rule?.id ?? undefined),
    (id) => id,
    (i) => place.at(i).at('id'),
  );
  return complete(rules);
}

function readRule(value: unknown, place: Place, scope: Scope): RuleDraft | undefined {
  const fields = readFields(value, place, [
    'id',
    'name',
    'resource_type',
    'resource_selector',
    'privileges',
    'conditions',
    'override_checkout_duration_in_seconds',
  ]);
  if (fields === undefined) return undefined;
  const name = readText(fields.name, place.at('name'), NAME);
  const id = readRuleId(fields.id, place.at('id'), name, scope.references);
  const type = readOneOf(fields.resource_type, place.at('resource_type'), [
    'server_based_resource',
  ]);
  const selectors = readResourceSelector(fields, place.at('resource_selector'), scope);
  const privileges = readPrivileges(fields.privileges, place.at('privileges'));
  const conditions = readConditions(fields.conditions, place.at('conditions'), scope.references);
  const checkout = readCheckout(fields, place);
  if (selectors !== undefined && privileges !== undefined)
    checkPrivileges(privileges, selectors, place.at('privileges'), scope);
  if (name === undefined || id === undefined || type === undefined) return undefined;
  if (selectors === undefined || privileges === undefined || conditions === undefined)
    return undefined;
  if (checkout === undefined) return undefined;
  return {
    id,
    name,
    resource_type: type,
    resource_selector: { selectors },
    privileges,
    conditions,
    override_checkout_duration_in_seconds: checkout,
  };
}

/** A rule that is replaced keeps its id, by id or by name; a made-up id is refused. */
function readRuleId(
  value: unknown,
  place: Place,
  name: string | undefined,
  { previous }: References,
): string | null | undefined {
  const rules = previous?.rules ?? [];
  if (value === undefined) return rules.find((rule) => rule.name === name)?.id ?? null;
  const id = readText(value, place, { max: 64 });
  if (id === undefined || rules.some((rule) => rule.id === id)) return id;
  return place.fault('unknown_reference', 'This policy has no such rule: leave the id out.');
}

function readResourceSelector(
  fields: Fields,
  place: Place,
  scope: Scope,
): readonly Selector[] | undefined {
  const selector = readFields(fields.resource_selector, place, ['selectors']);
  return selector && readSelectors(selector.selectors, place.at('selectors'), scope);
}

function readCheckout(fields: Fields, place: Place): Seconds | null | undefined {
  const key = 'override_checkout_duration_in_seconds';
  const value = fields[key] ?? null;
  if (value === null) return null;
  return readInteger(value, place.at(key), CHECKOUT_SECONDS) as Seconds | undefined;
}

/** A privilege that nothing selected could serve is a mistake: people would believe in it. */
function checkPrivileges(
  privileges: readonly Privilege[],
  selectors: readonly Selector[],
  place: Place,
  scope: Scope,
): void {
  const selectsServers = selectors.some((s) => s.selector_type !== 'individual_server_account');
  const selectsAccounts = selectors.some(
    (s) =>
      s.selector_type === 'individual_server_account' ||
      (s.selector_type === 'server_label' && s.account_selector_type === 'username'),
  );
  // `privileges` is sorted; the fault is shown at the list, which is where one would look.
  for (const privilege of privileges) {
    const isPrincipal = privilege.privilege_type === 'principal_account_ssh';
    if (isPrincipal && !selectsServers)
      place.fault('nothing_selected', 'principal_account_ssh needs a selector of servers.');
    else if (!isPrincipal && !selectsAccounts)
      place.fault(
        'nothing_selected',
        `${privilege.privilege_type} needs a selector that names accounts.`,
      );
    else if (isPrincipal && privilege.admin_level_permissions && !hasAdmin(selectors, scope))
      place.fault('no_admin_account', 'No server selected has an account template for admins.');
  }
}

/** Whether at least one server that the selectors select today names an admin account. */
function hasAdmin(selectors: readonly Selector[], scope: Scope): boolean {
  const { servers } = scope.references;
  const group = scope.resource_group;
  return servers.all.some(
    (server) =>
      server.admin_account_template !== null &&
      isAdminTemplate(server.admin_account_template) &&
      (!group || server.resource_group_id === group.id) &&
      selectors.some((selector) => selectsServer(selector, server)),
  );
}

function selectsServer(selector: Selector, server: ServerReference): boolean {
  if (selector.selector_type === 'individual_server_account') return false;
  if (selector.selector_type === 'individual_server') return selector.server.id === server.id;
  return Object.entries(selector.server_selector.labels).every(
    ([key, value]) => Object.hasOwn(server.labels, key) && server.labels[key] === value,
  );
}
