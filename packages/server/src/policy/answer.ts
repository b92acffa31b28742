import type { Instant } from '@postern/shared';
import type { Wish } from './approvals.ts';
import type { CompiledRule, CompiledSelector } from './compile.ts';
import { type Circumstances, whatIsKnown } from './conditions.ts';
import type { Approval, Facts } from './facts.ts';
import { adminIdentity } from './identity.ts';
import type { AccessCredential, AccessMethod, ResourceStatus } from './method.ts';
import { bitOf, hasUsername, type PlannedAccount, type ServerPlan, type UserPlan } from './plan.ts';
import { type Outcome, outcomeOf, stillOutcome, type Terms } from './terms.ts';

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

/** The methods for one person, server and instant, while they are gathered, merged and ordered. */
export class Answer {
  readonly #user: UserPlan;
  readonly #server: ServerPlan;
  readonly #circumstances: Circumstances;
  /** Side by side. While gathering, `expires_at` is the end of the membership path alone. */
  readonly #methods: Writable<AccessMethod>[] = [];
  readonly #outcomes: Outcome[] = [];

  constructor(user: UserPlan, server: ServerPlan, facts: Facts, now: Instant) {
    this.#user = user;
    this.#server = server;
    const approvals =
      facts.approvals.length === 0
        ? NO_APPROVALS
        : facts.approvals.filter((approval) => approval.server_id === server.id);
    const known = whatIsKnown(facts, approvals);
    this.#circumstances = { facts, approvals, known, via: server.via, now };
  }

  /** What a matching selector's rule gives. Selectors come in ascending order of rule id. */
  add({ rule, selectsServers, usernames }: CompiledSelector, until: number): void {
    if (rule.principal !== null && selectsServers) this.#addPrincipal(rule, rule.principal, until);
    if (rule.vaulted === null) return;
    // Both lists ascend, so that one walk finds what is in both.
    const { accounts } = this.#server;
    for (let i = 0, j = 0; i < accounts.length && j < usernames.length; ) {
      const account = accounts[i];
      const code = usernames[j];
      if (account === undefined || code === undefined) break;
      if (account.username_code === code) this.#addVaulted(rule, rule.vaulted, account, until);
      if (account.username_code <= code) i += 1;
      else j += 1;
    }
  }

  methods(): readonly AccessMethod[] {
    for (let i = 0; i < this.#methods.length; i++) {
      const method = this.#methods[i];
      const end = this.#outcomes[i]?.until ?? 0;
      if (method === undefined) continue;
      if (!method.allowed) method.expires_at = null;
      else if (end < (method.expires_at ?? Number.POSITIVE_INFINITY))
        method.expires_at = end as Instant;
    }
    return this.#methods;
  }

  #addPrincipal(rule: CompiledRule, terms: Terms, until: number): void {
    const identity = principalOf(this.#user, this.#server, terms.admin_level);
    if (identity === undefined) return;
    const credential = terms.admin_level ? OWN_ADMIN : OWN;
    this.#offer(rule, terms, identity, credential, 'available', until);
  }

  #addVaulted(rule: CompiledRule, terms: Terms, account: PlannedAccount, until: number): void {
    const { username, credential } = account;
    const status = statusOf(account, this.#circumstances.facts, this.#user.id);
    this.#offer(rule, terms, username, credential, status, until);
  }

  #offer(
    rule: CompiledRule,
    terms: Terms,
    identity: string,
    credential: AccessCredential,
    status: ResourceStatus,
    until: number,
  ): void {
    const circumstances = this.#circumstances;
    const outcome =
      stillOutcome(terms, circumstances) ??
      outcomeOf(terms, circumstances, rule.id, this.#wish(terms, identity, credential));
    for (let i = 0; i < this.#methods.length; i++) {
      const method = this.#methods[i];
      // One credential object per account and answer: the same one is the same identity.
      if (method?.access_credential !== credential) continue;
      if (!isSameOption(this.#outcomes[i], outcome)) continue;
      if (method.rule_ids.at(-1) !== rule.id) method.rule_ids = [...method.rule_ids, rule.id];
      if (method.expires_at !== null && until > method.expires_at)
        method.expires_at = endOrNull(until);
      return;
    }
    const isFree = status === 'available' || status === 'checked_out';
    this.#insert(
      {
        server_id: this.#server.id,
        identity,
        access_credential: credential,
        privilege: terms.privilege,
        channels: terms.channels,
        allowed: outcome.unmet === 0 && isFree,
        expires_at: endOrNull(until),
        resource_status: status,
        rule_ids: rule.ids,
        conditionals: outcome.conditionals,
      },
      outcome,
    );
  }

  /** Behind everything that is not after it: equals stay in order of rule id. */
  #insert(method: Writable<AccessMethod>, outcome: Outcome): void {
    const methods = this.#methods;
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
    };
  }
}

const endOrNull = (until: number): Instant | null =>
  until === Number.POSITIVE_INFINITY ? null : (until as Instant);

/** The order of an answer: allowed, then fewest unmet conditions, then identity. */
function isBefore(a: AccessMethod, aUnmet: number, b: AccessMethod, bUnmet: number): boolean {
  if (a.allowed !== b.allowed) return a.allowed;
  if (aUnmet !== bUnmet) return aUnmet < bUnmet;
  return a.identity < b.identity;
}

/** One option: the same terms, met by the same approval until the same instant. */
const isSameOption = (a: Outcome | undefined, b: Outcome): boolean =>
  a === b ||
  (a !== undefined &&
    a.terms === b.terms &&
    a.approval_id === b.approval_id &&
    a.approval_until === b.approval_until);

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

function statusOf(account: PlannedAccount, { checkouts }: Facts, userId: string): ResourceStatus {
  if (!account.usable) return 'unavailable';
  let status: ResourceStatus = 'available';
  for (const checkout of checkouts) {
    if (checkout.account_id !== account.id) continue;
    if (checkout.user_id !== userId) return 'checked_out_by_other_user';
    status = 'checked_out';
  }
  return status;
}
