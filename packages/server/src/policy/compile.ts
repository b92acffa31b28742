import type { RequestTypeFacts } from './facts.ts';
import { type LabelLayout, type LabelTest, labelTest, layOut, type Wanted } from './labels.ts';
import {
  CHANNELS,
  CONDITION_TYPES,
  type Rule,
  type SecurityPolicy,
  type Selector,
} from './model.ts';
import { type Terms, TermsTable } from './terms.ts';

/** The policy set, indexed for evaluation. Made anew when a policy or request type changes. */
export interface CompiledPolicies {
  /** In ascending order of rule id; a selector's ordinal is its place here. */
  readonly selectors: readonly CompiledSelector[];
  /** `tests[ordinal]` of the selectors by label, first word; beside it the value wanted. */
  readonly masks: Int32Array;
  readonly values: Int32Array;
  readonly layout: LabelLayout;
  /** Every username that a selector names → its code. */
  readonly usernames: ReadonlyMap<string, number>;
  /** By code. */
  readonly usernameTexts: readonly string[];
  /** Group id → what its members may match. */
  readonly byGroup: ReadonlyMap<string, readonly CompiledPolicy[]>;
  /** Server id → ordinals of the selectors that name it. */
  readonly byServer: ReadonlyMap<string, readonly number[]>;
  /** Rules that could not be read and therefore open nothing. Never empty silently: log them. */
  readonly refused: readonly RefusedRule[];
}

export interface CompiledPolicy {
  readonly ordinal: number;
  /** Ordinals of its selectors by label. */
  readonly labelled: readonly number[];
  /** Ordinals of its selectors that name a server. */
  readonly naming: readonly number[];
}

export interface CompiledSelector {
  readonly policy: CompiledPolicy;
  readonly rule: CompiledRule;
  /** The server it names; null: it selects by label. */
  readonly server_id: string | null;
  readonly test: LabelTest | null;
  /** The policy's resource group; null: every one. */
  readonly resource_group_id: string | null;
  /** Servers are selected, for principal accounts. */
  readonly selectsServers: boolean;
  /** Vaulted accounts are selected: codes of their usernames, ascending. */
  readonly usernames: readonly number[];
}

export interface CompiledRule {
  readonly id: string;
  /** Just its id; shared and frozen. */
  readonly ids: readonly string[];
  readonly principal: Terms | null;
  readonly vaulted: Terms | null;
}

export interface RefusedRule {
  readonly policy_id: string;
  readonly rule_id: string;
  readonly reason: string;
}

export interface PolicySet {
  readonly policies: readonly SecurityPolicy[];
  readonly request_types: readonly RequestTypeFacts[];
}

/** A selector before it has its place: its ordinal needs the order of all rules. */
interface Draft {
  readonly policyOrdinal: number;
  readonly rule: CompiledRule;
  readonly wanted: readonly Wanted[] | null;
  readonly server_id: string | null;
  readonly resource_group_id: string | null;
  readonly selectsServers: boolean;
  readonly usernames: readonly string[];
}

/**
 * Indexes the active policies. A stored rule with anything in it that is not known here
 * opens nothing: it is left out and reported, never read in part.
 */
export function compile({ policies, request_types }: PolicySet): CompiledPolicies {
  const terms = new TermsTable(new Map(request_types.map((type) => [type.id, type])));
  const refused: RefusedRule[] = [];
  const drafts: Draft[] = [];
  const active = policies.filter((policy) => policy.active === true);
  for (const [ordinal, policy] of active.entries())
    for (const rule of policy.rules) {
      const read = readStored(policy, ordinal, rule, terms);
      if (typeof read === 'string')
        refused.push({ policy_id: policy.id, rule_id: rule.id, reason: read });
      else drafts.push(...read);
    }
  drafts.sort((a, b) => (a.rule.id < b.rule.id ? -1 : a.rule.id > b.rule.id ? 1 : 0));
  const layout = layOut(drafts.flatMap(({ wanted }) => (wanted === null ? [] : [wanted])));
  const usernames = codesOf(drafts);
  const compiledPolicies = policiesOf(active.length, drafts);
  const selectors = drafts.map((draft): CompiledSelector => {
    const policy = compiledPolicies[draft.policyOrdinal];
    if (policy === undefined) throw new Error('a draft without its policy');
    return {
      policy,
      rule: draft.rule,
      server_id: draft.server_id,
      resource_group_id: draft.resource_group_id,
      selectsServers: draft.selectsServers,
      test: draft.wanted && labelTest(layout, draft.wanted),
      usernames: draft.usernames
        .flatMap((username) => usernames.get(username) ?? [])
        .sort((a, b) => a - b),
    };
  });
  return {
    selectors,
    masks: Int32Array.from(selectors, ({ test }) => test?.mask ?? 0),
    values: Int32Array.from(selectors, ({ test }) => test?.value ?? 0),
    layout,
    usernames,
    usernameTexts: [...usernames.keys()],
    byGroup: groupIndex(active, compiledPolicies),
    byServer: serverIndex(drafts),
    refused,
  };
}

/** A stored rule's selectors; or, as a text, what in it is not known or has not the right shape. */
function readStored(
  policy: SecurityPolicy,
  policyOrdinal: number,
  rule: Rule,
  terms: TermsTable,
): readonly Draft[] | string {
  try {
    return unknownPart(rule) ?? draftsOf(policy, policyOrdinal, rule, terms);
  } catch (error) {
    if (error instanceof TypeError) return 'the rule cannot be read';
    throw error;
  }
}

/** What is not known; null when all of it is. */
function unknownPart(rule: Rule): string | null {
  for (const { condition_type } of rule.conditions)
    if (!CONDITION_TYPES.includes(condition_type)) return `unknown condition ${condition_type}`;
  for (const privilege of rule.privileges) {
    const channels = 'channels' in privilege ? privilege.channels : [];
    const unknown = channels.find((channel) => !CHANNELS.includes(channel));
    if (unknown !== undefined) return `unknown channel ${unknown}`;
  }
  for (const selector of rule.resource_selector.selectors) {
    const reason = unknownSelector(selector);
    if (reason !== null) return reason;
  }
  return null;
}

function unknownSelector(selector: Selector): string | null {
  if (selector.selector_type === 'individual_server') return null;
  if (selector.selector_type === 'individual_server_account') return null;
  const { selector_type, account_selector_type, server_selector } = selector;
  if (selector_type !== 'server_label') return `unknown selector ${selector_type}`;
  if (account_selector_type !== 'username' && account_selector_type !== 'none')
    return `unknown account selector ${account_selector_type}`;
  return Object.keys(server_selector.labels).length > 0 ? null : 'a label selector without labels';
}

function draftsOf(
  policy: SecurityPolicy,
  policyOrdinal: number,
  rule: Rule,
  terms: TermsTable,
): readonly Draft[] {
  const compiled: CompiledRule = {
    id: rule.id,
    ids: Object.freeze([rule.id]),
    principal: terms.of(rule, 'principal_account_ssh'),
    vaulted: terms.of(rule, 'vaulted_account_ssh'),
  };
  const resource_group_id = policy.resource_group?.id ?? null;
  return rule.resource_selector.selectors.map((selector) => ({
    policyOrdinal,
    rule: compiled,
    resource_group_id,
    ...selection(selector, resource_group_id),
  }));
}

function selection(
  selector: Selector,
  groupId: string | null,
): Pick<Draft, 'wanted' | 'server_id' | 'selectsServers' | 'usernames'> {
  switch (selector.selector_type) {
    case 'individual_server':
      return {
        wanted: null,
        server_id: selector.server.id,
        selectsServers: true,
        usernames: [],
      };
    case 'individual_server_account':
      return {
        wanted: null,
        server_id: selector.server.id,
        selectsServers: false,
        usernames: [selector.username],
      };
    case 'server_label': {
      const labels: readonly Wanted[] = Object.entries(selector.server_selector.labels);
      return {
        wanted: groupId === null ? labels : [...labels, [null, groupId]],
        server_id: null,
        selectsServers: true,
        usernames:
          selector.account_selector_type === 'username' ? selector.account_selector.usernames : [],
      };
    }
  }
}

function codesOf(drafts: readonly Draft[]): ReadonlyMap<string, number> {
  const all = new Set(drafts.flatMap((draft) => draft.usernames));
  return new Map([...all].map((username, code) => [username, code]));
}

function policiesOf(count: number, drafts: readonly Draft[]): readonly CompiledPolicy[] {
  const policies = Array.from({ length: count }, (_, ordinal) => {
    const labelled: number[] = [];
    const naming: number[] = [];
    return { ordinal, labelled, naming };
  });
  for (const [place, draft] of drafts.entries()) {
    const policy = policies[draft.policyOrdinal];
    (draft.wanted === null ? policy?.naming : policy?.labelled)?.push(place);
  }
  return policies;
}

function groupIndex(policies: readonly SecurityPolicy[], compiled: readonly CompiledPolicy[]) {
  const index = new Map<string, CompiledPolicy[]>();
  for (const [ordinal, policy] of policies.entries())
    for (const { id } of policy.principals.user_groups) {
      const entry = compiled[ordinal];
      if (entry !== undefined) push(index, id, entry);
    }
  return index;
}

function serverIndex(drafts: readonly Draft[]) {
  const index = new Map<string, number[]>();
  for (const [place, { server_id }] of drafts.entries())
    if (server_id !== null) push(index, server_id, place);
  return index;
}

function push<T>(index: Map<string, T[]>, key: string, value: T): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [value]);
  else list.push(value);
}
