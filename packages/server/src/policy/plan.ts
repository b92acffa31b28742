import type { CompiledPolicies, CompiledPolicy } from './compile.ts';
import type { AccountFacts, ServerFacts, UserFacts } from './facts.ts';
import { principalIdentity } from './identity.ts';
import { type PackedLabels, packLabels } from './labels.ts';
import type { AccessCredential } from './method.ts';

/**
 * A person against one compiled policy set: what could match at any time. It holds no
 * instant of its own, so it stays right while the facts and the policies stay the same.
 */
export interface UserPlan {
  readonly compiled: CompiledPolicies;
  readonly facts: UserFacts;
  readonly isActive: boolean;
  /** undefined: no principal accounts. */
  readonly identity: string | undefined;
  /** Ordinals of the label selectors to try, ascending. */
  readonly labelled: readonly number[];
  /** Beside `labelled`: when the latest-ending membership that leads there ends. Infinity: never. */
  readonly untils: readonly number[];
  /** Policies that name servers → the same end. null: none. */
  readonly naming: ReadonlyMap<CompiledPolicy, number> | null;
}

/** A server against one compiled policy set. */
export interface ServerPlan extends PackedLabels {
  readonly compiled: CompiledPolicies;
  readonly facts: ServerFacts;
  readonly isActive: boolean;
  /** Ordinals of the selectors that name it, ascending. */
  readonly naming: readonly number[] | null;
  /** All its vaulted usernames. */
  readonly usernames: ReadonlySet<string>;
  /** Those of its accounts that a selector names, ascending by code. */
  readonly accounts: readonly PlannedAccount[];
}

export interface PlannedAccount extends AccountFacts {
  readonly username_code: number;
  readonly credential: AccessCredential;
}

export function compileUser(compiled: CompiledPolicies, facts: UserFacts): UserPlan {
  const ends = pathEnds(compiled, facts);
  const reached: { ordinal: number; until: number }[] = [];
  const naming = new Map<CompiledPolicy, number>();
  for (const [policy, until] of ends) {
    for (const ordinal of policy.labelled) reached.push({ ordinal, until });
    if (policy.naming.length > 0) naming.set(policy, until);
  }
  reached.sort((a, b) => a.ordinal - b.ordinal);
  return {
    compiled,
    facts,
    isActive: facts.status === 'ACTIVE',
    identity: principalIdentity(facts.unix_name),
    labelled: reached.map(({ ordinal }) => ordinal),
    untils: reached.map(({ until }) => until),
    naming: naming.size > 0 ? naming : null,
  };
}

/**
 * Policy → the end of the latest-ending membership that leads to it. Whether any path is
 * live is whether that one is: a membership does not exist from `valid_until` on.
 */
function pathEnds(compiled: CompiledPolicies, facts: UserFacts): Map<CompiledPolicy, number> {
  const ends = new Map<CompiledPolicy, number>();
  for (const { group_id, valid_until } of facts.memberships) {
    const until = valid_until ?? Number.POSITIVE_INFINITY;
    for (const policy of compiled.byGroup.get(group_id) ?? []) {
      const known = ends.get(policy);
      if (known === undefined || until > known) ends.set(policy, until);
    }
  }
  return ends;
}

export function compileServer(compiled: CompiledPolicies, facts: ServerFacts): ServerPlan {
  return {
    compiled,
    facts,
    isActive: facts.state === 'ACTIVE',
    ...packLabels(compiled.layout, facts),
    naming: compiled.byServer.get(facts.id) ?? null,
    usernames: new Set(facts.accounts.map(({ username }) => username)),
    accounts: facts.accounts
      .flatMap((account) => planAccount(compiled, account))
      .sort((a, b) => a.username_code - b.username_code),
  };
}

function planAccount({ usernames }: CompiledPolicies, facts: AccountFacts): PlannedAccount[] {
  const username_code = usernames.get(facts.username);
  if (username_code === undefined) return [];
  const { id, username, usable } = facts;
  const credential = Object.freeze({ type: 'vaulted_account', account_id: id } as const);
  return [{ id, username, usable, username_code, credential }];
}
