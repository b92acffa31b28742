import type { Instant } from '@postern/shared';
import type { Wish } from './approvals.ts';
import type { CompiledRule, CompiledSelector } from './compile.ts';
import type { Circumstances } from './conditions.ts';
import type { AccountFacts, Approval, Facts } from './facts.ts';
import { adminIdentity } from './identity.ts';
import type { AccessCredential, AccessMethod, ResourceStatus } from './method.ts';
import type { PlannedAccount, ServerPlan, UserPlan } from './plan.ts';
import { type Outcome, outcomeOf, type Terms } from './terms.ts';

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
  /** Three lists, side by side: method, its outcome, and when the path to it ends. */
  readonly #methods: Writable<AccessMethod>[] = [];
  readonly #outcomes: Outcome[] = [];
  readonly #untils: number[] = [];

  constructor(user: UserPlan, server: ServerPlan, facts: Facts, now: Instant) {
    this.#user = user;
    this.#server = server;
    const approvals =
      facts.approvals.length === 0
        ? NO_APPROVALS
        : facts.approvals.filter((approval) => approval.server_id === server.facts.id);
    this.#circumstances = { facts, approvals, via: server.facts.via, now };
  }

  /** What a matching selector's rule gives. Selectors come in ascending order of rule id. */
  add({ rule, selectsServers, usernames }: CompiledSelector, until: number): void {
    if (rule.principal !== null && selectsServers) this.#addPrincipal(rule, rule.principal, until);
    if (rule.vaulted === null) return;
    for (const username of usernames) {
      const account = this.#server.accounts.get(username);
      if (account !== undefined) this.#addVaulted(rule, rule.vaulted, account, until);
    }
  }

  methods(): readonly AccessMethod[] {
    for (let i = 0; i < this.#methods.length; i++) {
      const method = this.#methods[i];
      const end = Math.min(this.#outcomes[i]?.until ?? 0, this.#untils[i] ?? 0);
      if (method?.allowed && end !== Number.POSITIVE_INFINITY) method.expires_at = end as Instant;
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
    const { facts, credential } = account;
    const status = statusOf(facts, this.#circumstances.facts, this.#user.facts.id);
    this.#offer(rule, terms, facts.username, credential, status, until);
  }

  #offer(
    rule: CompiledRule,
    terms: Terms,
    identity: string,
    credential: AccessCredential,
    status: ResourceStatus,
    until: number,
  ): void {
    const wish = () => this.#wish(terms, identity, credential);
    const outcome = outcomeOf(terms, this.#circumstances, rule.id, wish);
    for (let i = 0; i < this.#methods.length; i++) {
      const method = this.#methods[i];
      if (method?.identity !== identity || method.access_credential !== credential) continue;
      if (!isSameOption(this.#outcomes[i], outcome)) continue;
      if (method.rule_ids.at(-1) !== rule.id) method.rule_ids = [...method.rule_ids, rule.id];
      this.#untils[i] = Math.max(this.#untils[i] ?? 0, until);
      return;
    }
    const isFree = status === 'available' || status === 'checked_out';
    this.#insert(
      {
        server_id: this.#server.facts.id,
        identity,
        access_credential: credential,
        privilege: terms.privilege,
        channels: terms.channels,
        allowed: outcome.unmet === 0 && isFree,
        expires_at: null,
        resource_status: status,
        rule_ids: rule.ids,
        conditionals: outcome.conditionals,
      },
      outcome,
      until,
    );
  }

  /** Behind everything that is not after it: equals stay in order of rule id. */
  #insert(method: Writable<AccessMethod>, outcome: Outcome, until: number): void {
    let i = this.#methods.length;
    while (i > 0) {
      const before = this.#methods[i - 1];
      const unmet = this.#outcomes[i - 1]?.unmet ?? 0;
      if (before === undefined || !isBefore(method, outcome.unmet, before, unmet)) break;
      i -= 1;
    }
    this.#methods.splice(i, 0, method);
    this.#outcomes.splice(i, 0, outcome);
    this.#untils.splice(i, 0, until);
  }

  #wish(terms: Terms, identity: string, credential: AccessCredential): Wish {
    return {
      user_id: this.#user.facts.id,
      server_id: this.#server.facts.id,
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
  return identity !== undefined && server.accounts.has(identity) ? undefined : identity;
}

function statusOf(account: AccountFacts, { checkouts }: Facts, userId: string): ResourceStatus {
  if (!account.usable) return 'unavailable';
  let status: ResourceStatus = 'available';
  for (const checkout of checkouts) {
    if (checkout.account_id !== account.id) continue;
    if (checkout.user_id !== userId) return 'checked_out_by_other_user';
    status = 'checked_out';
  }
  return status;
}
