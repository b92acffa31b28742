import type { CompiledPolicies } from './compile.ts';
import type { AccountFacts, ServerFacts, UserFacts } from './facts.ts';
import { principalIdentity } from './identity.ts';
import { type PackedLabels, packLabels } from './labels.ts';
import type { AccessCredential } from './method.ts';

// With many people and servers an evaluation waits for memory more than it computes. What
// it always reads is therefore in the plan itself, first, and not one object further away.

/**
 * A person against one compiled policy set: what could match at any time. It holds no
 * instant of its own, so it stays right while the facts and the policies stay the same.
 */
export interface UserPlan {
  readonly compiled: CompiledPolicies;
  readonly isActive: boolean;
  /** Ordinals of the label selectors to try, ascending. */
  readonly labelled: readonly number[];
  /**
   * Beside `labelled`: when the latest-ending membership that leads there ends. Infinity:
   * never. null: none of them ends.
   */
  readonly untils: readonly number[] | null;
  /** Ordinals of the policies that name servers → the same end. null: none. */
  readonly naming: ReadonlyMap<number, number> | null;
  readonly id: string;
  /** undefined: no principal accounts. */
  readonly identity: string | undefined;
  readonly identity_bit: number;
  readonly facts: UserFacts;
}

/** A server against one compiled policy set. */
export interface ServerPlan extends PackedLabels {
  readonly compiled: CompiledPolicies;
  readonly isActive: boolean;
  /** Ordinals of the selectors that name it, ascending. */
  readonly naming: readonly number[] | null;
  /** Codes of those of its accounts that a selector names, ascending; and what each is had by. */
  readonly usernames: readonly number[];
  readonly credentials: readonly VaultedCredential[];
  /** Those of them that cannot be had; null: none. */
  readonly unusable: readonly VaultedCredential[] | null;
  readonly via: 'gateway' | 'direct';
  readonly id: string;
  /** The bits of all its vaulted usernames: a name whose bit is not set is none of them. */
  readonly usernames_bits: number;
  readonly facts: ServerFacts;
}

export type VaultedCredential = Extract<AccessCredential, { type: 'vaulted_account' }>;

export function compileUser(compiled: CompiledPolicies, facts: UserFacts): UserPlan {
  const ends = pathEnds(compiled, facts);
  const reached: { ordinal: number; until: number }[] = [];
  const naming = new Map<number, number>();
  for (const [place, until] of ends) {
    const policy = compiled.policies[place];
    for (const ordinal of policy?.labelled ?? []) reached.push({ ordinal, until });
    if (policy !== undefined && policy.naming.length > 0) naming.set(place, until);
  }
  reached.sort((a, b) => a.ordinal - b.ordinal);
  const identity = principalIdentity(facts.unix_name);
  return {
    compiled,
    isActive: facts.status === 'ACTIVE',
    labelled: reached.map(({ ordinal }) => ordinal),
    untils: reached.every(({ until }) => until === Number.POSITIVE_INFINITY)
      ? null
      : reached.map(({ until }) => until),
    naming: naming.size > 0 ? naming : null,
    id: facts.id,
    identity,
    identity_bit: bitOf(identity ?? ''),
    facts,
  };
}

/**
 * Ordinal of a policy → the end of the latest-ending membership that leads to it. Whether any path is
 * live is whether that one is: a membership does not exist from `valid_until` on.
 */
function pathEnds(compiled: CompiledPolicies, facts: UserFacts): Map<number, number> {
  const ends = new Map<number, number>();
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
  const { first, rest } = packLabels(compiled.layout, facts);
  const code = ({ username }: AccountFacts) => compiled.usernames.get(username) ?? -1;
  const accounts = facts.accounts
    .filter((account) => code(account) >= 0)
    .sort((a, b) => code(a) - code(b));
  const credentials = accounts.map(({ id }) =>
    Object.freeze({ type: 'vaulted_account', account_id: id } as const),
  );
  const unusable = credentials.filter((_, i) => accounts[i]?.usable !== true);
  return {
    compiled,
    isActive: facts.state === 'ACTIVE',
    first,
    rest,
    naming: compiled.byServer.get(facts.id) ?? null,
    usernames: compiled.codeLists.of(accounts.map(({ username }) => username)),
    credentials,
    unusable: unusable.length > 0 ? unusable : null,
    via: facts.via,
    id: facts.id,
    usernames_bits: facts.accounts.reduce((bits, { username }) => bits | bitOf(username), 0),
    facts,
  };
}

/** Whether a vaulted account of the server has the name. `bit` is that of the name. */
export const hasUsername = (server: ServerPlan, name: string, bit: number): boolean =>
  (server.usernames_bits & bit) !== 0 &&
  server.facts.accounts.some(({ username }) => username === name);

/** One of 31 bits; texts that have different ones differ. */
export function bitOf(text: string): number {
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  return 1 << ((hash >>> 0) % 31);
}
