import type { Instant } from '@postern/shared';
import type { Wish } from './approvals.ts';
import type { CompiledSelector } from './compile.ts';
import { ASKS_OF_ACCOUNT, type Circumstances, whatIsKnown } from './conditions.ts';
import type { Approval, Facts } from './facts.ts';
import { adminIdentity } from './identity.ts';
import type { AccessCredential, AccessMethod, ResourceStatus } from './method.ts';
import {
  bitOf,
  hasUsername,
  type ServerPlan,
  type UserPlan,
  type VaultedCredential,
} from './plan.ts';
import { NO_WISH, type Outcome, outcomeOf, stillOutcome, type Terms } from './terms.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const NO_APPROVALS: readonly Approval[] = Object.freeze([]);
const OWN: AccessCredential = Object.freeze({
  type: 'principal_account',
  admin_level_permissions: false,
});
const OWN_ADMIN: AccessCredential = Object.freeze({
  type: 'principal_account',
  admin_level_permissions: true,
});

/**
 * The methods for one person, server and instant, while they are gathered, merged and ordered.
 * Itself the circumstances of its conditions: whatever is allocated here is allocated a
 * million times a second.
 */
export class Answer implements Circumstances {
  readonly facts: Facts;
  readonly approvals: readonly Approval[];
  readonly known: number;
  readonly via: 'gateway' | 'direct';
  readonly now: Instant;
  /** At any time in order and merged. */
  readonly methods: Writable<AccessMethod>[] = [];
  readonly #user: UserPlan;
  readonly #server: ServerPlan;
  /** Beside the methods. Equal ones are one object. */
  readonly #outcomes: Outcome[] = [];
  /** How many of the selectors that name the server have been added. */
  #named = 0;

  constructor(user: UserPlan, server: ServerPlan, facts: Facts, now: Instant) {
    this.#user = user;
    this.#server = server;
    this.facts = facts;
    this.approvals =
      facts.approvals.length === 0
        ? NO_APPROVALS
        : facts.approvals.filter((approval) => approval.server_id === server.id);
    this.known = whatIsKnown(facts, this.approvals);
    this.via = server.via;
    this.now = now;
  }

  /**
   * Adds those before `ordinal` of the selectors that name the server and that the person's
   * memberships lead to.
   */
  addNamed(ordinal: number): void {
    const { compiled, naming } = this.#user;
    const { naming: ordinals, facts } = this.#server;
    if (naming === null || ordinals === null) return;
    for (; this.#named < ordinals.length; this.#named += 1) {
      const at = ordinals[this.#named] ?? ordinal;
      if (at >= ordinal) return;
      const selector = compiled.selectors[at];
      if (selector === undefined) continue;
      const until = naming.get(selector.policy) ?? 0;
      const group = selector.resource_group_id;
      const isInGroup = group === null || group === facts.resource_group_id;
      if (until > this.now && isInGroup) this.add(selector, until);
    }
  }

  /** What a matching selector's rule gives. Selectors come in ascending order of rule id. */
  add({ principal, vaulted, usernames, rule_ids }: CompiledSelector, until: number): void {
    if (principal !== null) this.#addPrincipal(rule_ids, principal, until);
    if (vaulted === null) return;
    // Both lists ascend, so that one walk finds what is in both.
    const server = this.#server;
    for (let i = 0, j = 0; i < server.usernames.length && j < usernames.length; ) {
      const code = server.usernames[i] ?? -1;
      const wanted = usernames[j] ?? -1;
      if (code === wanted) this.#addVaulted(rule_ids, vaulted, code, server.credentials[i], until);
      if (code <= wanted) i += 1;
      else j += 1;
    }
  }

  #addPrincipal(rule_ids: readonly [string], terms: Terms, until: number): void {
    const identity = principalOf(this.#user, this.#server, terms.admin_level);
    if (identity === undefined) return;
    const credential = terms.admin_level ? OWN_ADMIN : OWN;
    this.#offer(rule_ids, terms, identity, credential, 'available', until);
  }

  #addVaulted(
    rule_ids: readonly [string],
    terms: Terms,
    code: number,
    credential: VaultedCredential | undefined,
    until: number,
  ): void {
    const { compiled, id } = this.#user;
    // The policies' own text of the name: one for all servers.
    const identity = compiled.usernameTexts[code];
    if (identity === undefined || credential === undefined)
      throw new Error('a server with an account of other policies');
    const status = statusOf(this.#server, credential, this.facts, id);
    this.#offer(rule_ids, terms, identity, credential, status, until);
  }

  #offer(
    rule_ids: readonly [string],
    terms: Terms,
    identity: string,
    credential: AccessCredential,
    status: ResourceStatus,
    until: number,
  ): void {
    const outcome =
      stillOutcome(terms, this) ?? this.#outcome(terms, rule_ids[0], identity, credential);
    const isFree = status === 'available' || status === 'checked_out';
    const allowed = outcome.unmet === 0 && isFree;
    const expires_at = allowed ? endOrNull(Math.min(until, outcome.until)) : null;
    const session_until = allowed ? endOrNull(Math.min(until, outcome.session_until)) : null;
    for (let i = 0; i < this.methods.length; i++) {
      const method = this.methods[i];
      // One credential object per account and one outcome object per outcome: the same option.
      if (method?.access_credential !== credential || this.#outcomes[i] !== outcome) continue;
      merge(method, rule_ids, expires_at, session_until);
      return;
    }
    const method = {
      server_id: this.#server.id,
      identity,
      access_credential: credential,
      privilege: terms.privilege,
      channels: terms.channels,
      allowed,
      expires_at,
      session_until,
      resource_status: status,
      rule_ids,
      conditionals: outcome.conditionals,
    };
    this.#insert(method, outcome);
  }

  /** Behind everything that is not after it: equals stay in order of rule id. */
  #insert(method: Writable<AccessMethod>, outcome: Outcome): void {
    const methods = this.methods;
    const outcomes = this.#outcomes;
    let i = methods.push(method) - 1;
    outcomes.push(outcome);
    for (; i > 0; i -= 1) {
      const before = methods[i - 1];
      const itsOutcome = outcomes[i - 1];
      if (before === undefined || itsOutcome === undefined) break;
      if (!isBefore(method, outcome.unmet, before, itsOutcome.unmet)) break;
      methods[i] = before;
      outcomes[i] = itsOutcome;
    }
    methods[i] = method;
    outcomes[i] = outcome;
  }

  /** Where a fact may change the outcome. Equal ones are that of the method that has it already. */
  #outcome(terms: Terms, ruleId: string, identity: string, credential: AccessCredential): Outcome {
    // Without what is about one account it is the same for every rule and account.
    if ((terms.asks & this.known & ASKS_OF_ACCOUNT) === 0) {
      for (const outcome of this.#outcomes) if (outcome.terms === terms) return outcome;
      return outcomeOf(terms, this, ruleId, NO_WISH);
    }
    const made = outcomeOf(terms, this, ruleId, this.#wish(terms, identity, credential));
    for (const outcome of this.#outcomes) if (isEqual(outcome, made)) return outcome;
    return made;
  }

  #wish(terms: Terms, identity: string, credential: AccessCredential): Wish {
    return {
      user_id: this.#user.id,
      server_id: this.#server.id,
      server_identity_revision: this.#server.facts.identity_revision,
      identity,
      credential_type: credential.type,
      account_id: credential.type === 'vaulted_account' ? credential.account_id : null,
      admin_level: terms.admin_level,
      privilege: terms.privilege,
      channels: terms.channels,
      binding: this.facts.binding ?? null,
    };
  }
}

const endOrNull = (until: number): Instant | null =>
  until === Number.POSITIVE_INFINITY ? null : (until as Instant);

/** The same option again, by a rule that comes later. The later end counts; null: none. */
function merge(
  method: Writable<AccessMethod>,
  [ruleId]: readonly [string],
  expires_at: Instant | null,
  session_until: Instant | null,
): void {
  if (method.rule_ids.at(-1) !== ruleId) method.rule_ids = [...method.rule_ids, ruleId];
  method.expires_at = later(method.expires_at, expires_at);
  method.session_until = later(method.session_until, session_until);
}

/** null: no end. */
const later = (a: Instant | null, b: Instant | null): Instant | null =>
  a === null || b === null ? null : b > a ? b : a;

/** The order of an answer: allowed, then fewest unmet conditions, then identity. */
function isBefore(a: AccessMethod, aUnmet: number, b: AccessMethod, bUnmet: number): boolean {
  if (a.allowed !== b.allowed) return a.allowed;
  if (aUnmet !== bUnmet) return aUnmet < bUnmet;
  return a.identity < b.identity;
}

/** The same terms, met by the same approval until the same instant, and by the same proof. */
const isEqual = (a: Outcome, b: Outcome): boolean =>
  a.terms === b.terms &&
  a.approval_id === b.approval_id &&
  a.approval_until === b.approval_until &&
  a.proof_id === b.proof_id;

/**
 * The login name of a person's principal account on a server. None where it is also the
 * name of a vaulted account there: one must not open the other.
 */
export function principalOf(
  user: UserPlan,
  server: ServerPlan,
  admin: boolean,
): string | undefined {
  const own = user.identity;
  if (own === undefined) return undefined;
  const identity = admin ? adminIdentity(server.facts.admin_account_template, own) : own;
  if (identity === undefined) return undefined;
  const bit = admin ? bitOf(identity) : user.identity_bit;
  return hasUsername(server, identity, bit) ? undefined : identity;
}

function statusOf(
  { unusable }: ServerPlan,
  credential: VaultedCredential,
  { checkouts }: Facts,
  userId: string,
): ResourceStatus {
  if (unusable?.includes(credential)) return 'unavailable';
  let status: ResourceStatus = 'available';
  for (const checkout of checkouts) {
    if (checkout.account_id !== credential.account_id) continue;
    if (checkout.user_id !== userId) return 'checked_out_by_other_user';
    status = 'checked_out';
  }
  return status;
}
