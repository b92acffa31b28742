import type { Seconds } from '@postern/shared';
import { checkPrivilege } from './check-privilege.ts';
import type { Place } from './faults.ts';
import type { Rule, Selector } from './model.ts';
import {
  complete,
  type Fields,
  readEach,
  readFields,
  readInteger,
  readList,
  readOneOf,
  readText,
  refuseRepeated,
} from './read.ts';
import type { References } from './references.ts';
import { readConditions } from './validate-conditions.ts';
import { readPrivileges } from './validate-privileges.ts';
import { readSelectors, type Scope } from './validate-selectors.ts';

const MAX_RULES = 20;
const CHECKOUT_SECONDS = { min: 60, max: 30 * 86_400 };

/** A rule that is valid; its id is null when it is a new one. */
export type RuleDraft = Omit<Rule, 'id'> & { readonly id: string | null };

export function readRules(
  value: unknown,
  place: Place,
  scope: Scope,
): readonly RuleDraft[] | undefined {
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
  const name = readText(fields.name, place.at('name'), { max: 200 });
  const id = readRuleId(fields.id, place.at('id'), name, scope.references);
  const type = readOneOf(fields.resource_type, place.at('resource_type'), [
    'server_based_resource',
  ]);
  const selectors = readResourceSelector(fields, place.at('resource_selector'), scope);
  const privileges = readPrivileges(fields.privileges, place.at('privileges'), (privilege, at) => {
    if (selectors !== undefined) checkPrivilege(privilege, selectors, at, scope);
  });
  const conditions = readConditions(fields.conditions, place.at('conditions'), scope.references);
  const checkout = readCheckout(fields, place);
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
