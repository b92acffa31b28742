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
  /** Of every selector, the test of the first word: mask at 2 × ordinal, the value wanted behind it. */
  readonly tests: Int32Array;
  readonly layout: LabelLayout;
  /** Every username that a selector names → its code. */
  readonly usernames: ReadonlyMap<string, number>;
  /** By code. */
  readonly usernameTexts: readonly string[];
  readonly codeLists: CodeLists;
  /** A policy's ordinal is its place here. */
  readonly policies: readonly CompiledPolicy[];
  /** Group id → ordinals of the policies whose selectors its members may match. */
  readonly byGroup: ReadonlyMap<string, readonly number[]>;
  /** Server id → ordinals of the selectors that name it. */
  readonly byServer: ReadonlyMap<string, readonly number[]>;
  /** Rules that could not be read and therefore open nothing. Never empty silently: log them. */
  readonly refused: readonly RefusedRule[];
}

export interface CompiledPolicy {
  /** Ordinals of its selectors by label. */
  readonly labelled: readonly number[];
  /** Ordinals of its selectors that name a server. */
  readonly naming: readonly number[];
}

/** Flat: what an evaluation reads of a match comes first and leads to nothing that is not shared. */
export interface CompiledSelector {
  /** The test of the words after the first; null: none. */
  readonly rest: LabelTest['rest'] | null;
  /** What it gives to principal accounts; null: nothing. */
  readonly principal: Terms | null;
  /** What it gives to the vaulted accounts with its usernames; null: nothing. */
  readonly vaulted: Terms | null;
  /** Codes, ascending. */
  readonly usernames: readonly number[];
  /** Just the id of its rule; frozen. */
  readonly rule_ids: readonly [string];
  /** Ordinal of its policy. */
  readonly policy: number;
  /** The server it names; null: it selects by label. */
  readonly server_id: string | null;
  readonly test: LabelTest | null;
  /** The policy's resource group; null: every one. */
  readonly resource_group_id: string | null;
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
  readonly policy: number;
  readonly rule_ids: readonly [string];
  readonly principal: Terms | null;
  readonly vaulted: Terms | null;
  readonly wanted: readonly Wanted[] | null;
  readonly server_id: string | null;
  readonly resource_group_id: string | null;
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
  drafts.sort(({ rule_ids: [a] }, { rule_ids: [b] }) => (a < b ? -1 : a > b ? 1 : 0));
  const layout = layOut(drafts.flatMap(({ wanted }) => (wanted === null ? [] : [wanted])));
  const usernames = codesOf(drafts);
  const codeLists = new CodeLists(usernames);
  const selectors = drafts.map((draft): CompiledSelector => {
    const test = draft.wanted && labelTest(layout, draft.wanted);
    return {
      rest: test === null || test.rest.length === 0 ? null : test.rest,
      principal: draft.principal,
      vaulted: draft.vaulted,
      usernames: codeLists.of(draft.usernames),
      rule_ids: draft.rule_ids,
      policy: draft.policy,
      server_id: draft.server_id,
      test,
      resource_group_id: draft.resource_group_id,
    };
  });
  return {
    selectors,
    tests: Int32Array.from(selectors.flatMap(({ test }) => [test?.mask ?? 0, test?.value ?? 0])),
    layout,
    usernames,
    usernameTexts: [...usernames.keys()],
    codeLists,
    policies: policiesOf(active.length, drafts),
    byGroup: groupIndex(active),
    byServer: serverIndex(drafts),
    refused,
  };
}

/** A stored rule's selectors; or, as a text, what in it is not known or has not the right shape. */
function readStored(
  policy: SecurityPolicy,
  ordinal: number,
  rule: Rule,
  terms: TermsTable,
): readonly Draft[] | string {
  try {
    return unknownPart(rule) ?? draftsOf(policy, ordinal, rule, terms);
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
  ordinal: number,
  rule: Rule,
  terms: TermsTable,
): readonly Draft[] {
  const rule_ids: readonly [string] = Object.freeze([rule.id]);
  const principal = terms.of(rule, 'principal_account_ssh');
  const vaulted = terms.of(rule, 'vaulted_account_ssh');
  const resource_group_id = policy.resource_group?.id ?? null;
  return rule.resource_selector.selectors.map((selector) => {
    const { selectsServers, ...selected } = selection(selector, resource_group_id);
    return {
      policy: ordinal,
      rule_ids,
      principal: selectsServers ? principal : null,
      vaulted: selected.usernames.length > 0 ? vaulted : null,
      resource_group_id,
      ...selected,
    };
  });
}

function selection(
  selector: Selector,
  groupId: string | null,
): Pick<Draft, 'wanted' | 'server_id' | 'usernames'> & { readonly selectsServers: boolean } {
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

/**
 * Usernames as their codes, ascending. Equal lists are one object: most selectors name, and most
 * servers have, the same few accounts, and a list that everybody reads stays near the processor.
 */
export class CodeLists {
  readonly #codes: ReadonlyMap<string, number>;
  readonly #lists = new Map<string, readonly number[]>();

  constructor(codes: ReadonlyMap<string, number>) {
    this.#codes = codes;
  }

  of(usernames: readonly string[]): readonly number[] {
    const made = usernames.flatMap((username) => this.#codes.get(username) ?? []);
    made.sort((a, b) => a - b);
    const key = made.join();
    const list = this.#lists.get(key) ?? made;
    this.#lists.set(key, list);
    return list;
  }
}

function policiesOf(count: number, drafts: readonly Draft[]): readonly CompiledPolicy[] {
  const policies = Array.from({ length: count }, () => {
    const labelled: number[] = [];
    const naming: number[] = [];
    return { labelled, naming };
  });
  for (const [place, draft] of drafts.entries()) {
    const policy = policies[draft.policy];
    (draft.wanted === null ? policy?.naming : policy?.labelled)?.push(place);
  }
  return policies;
}

function groupIndex(policies: readonly SecurityPolicy[]) {
  const index = new Map<string, number[]>();
  for (const [ordinal, policy] of policies.entries())
    for (const { id } of policy.principals.user_groups) push(index, id, ordinal);
  return index;
}

function serverIndex(drafts: readonly Draft[]) {
  const index = new Map<string, number[]>();
  for (const [place, { server_id }] of drafts.entries())
    if (server_id !== null) push(index, server_id, place);
  return index;
}

function push(index: Map<string, number[]>, key: string, value: number): void {
  const list = index.get(key);
  if (list === undefined) index.set(key, [value]);
  else list.push(value);
}
