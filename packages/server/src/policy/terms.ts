import type { Instant } from '@postern/shared';
import type { Wish } from './approvals.ts';
import { type Circumstances, type CompiledCondition, compileCondition } from './conditions.ts';
import type { RequestTypeFacts } from './facts.ts';
import type { Conditional } from './method.ts';
import type { Channel, Condition, Rule, SshPrivilege } from './model.ts';

/**
 * What an option gives and asks, whoever and wherever: privilege, channels, conditions.
 * Rules that say the same share one object, so that options merge when their terms are one.
 */
export interface Terms {
  readonly privilege: SshPrivilege;
  readonly admin_level: boolean;
  readonly channels: readonly Channel[];
  readonly conditions: readonly CompiledCondition[];
  /** Which facts can change the outcome, besides how the server is reached: bits of `ASKS`. */
  readonly asks: number;
  /** The outcome when none of those facts is known. */
  readonly still: { readonly gateway: Outcome; readonly direct: Outcome };
}

/** The conditions of some terms, evaluated. Shared outcomes are frozen. */
export interface Outcome {
  readonly terms: Terms;
  readonly conditionals: readonly Conditional[];
  readonly unmet: number;
  /** The earliest end of a condition that is met; Infinity when none ends. */
  readonly until: number;
  /** The same without MFA, which is asked once and whose end ends no session. */
  readonly session_until: number;
  /** Which approval meets, and until when: what may differ between rules of the same terms. */
  readonly approval_id: string | null;
  readonly approval_until: Instant | null;
  /** The proof of this very connection that meets. */
  readonly proof_id: string | null;
}

export class TermsTable {
  readonly #requestTypes: ReadonlyMap<string, RequestTypeFacts>;
  readonly #terms = new Map<string, Terms>();

  constructor(requestTypes: ReadonlyMap<string, RequestTypeFacts>) {
    this.#requestTypes = requestTypes;
  }

  /** The terms of a rule's privilege; null when the rule does not give it. */
  of(rule: Rule, type: SshPrivilege): Terms | null {
    const privilege = rule.privileges.find((p) => p.privilege_type === type);
    if (privilege === undefined || !('channels' in privilege)) return null;
    const admin =
      privilege.privilege_type === 'principal_account_ssh' && privilege.admin_level_permissions;
    const { channels } = privilege;
    const key = JSON.stringify([type, admin, channels, rule.conditions.map(keyOf)]);
    const known = this.#terms.get(key);
    if (known !== undefined) return known;
    const terms = makeTerms(type, admin, channels, rule.conditions, this.#requestTypes);
    this.#terms.set(key, terms);
    return terms;
  }
}

/** A condition without the names in it: those are for people. */
const keyOf = (condition: Condition): unknown =>
  condition.condition_type === 'access_request'
    ? [condition.condition_type, condition.request_type.id, condition.expires_after_seconds]
    : condition;

function makeTerms(
  privilege: SshPrivilege,
  admin_level: boolean,
  channels: readonly Channel[],
  conditions: readonly Condition[],
  requestTypes: ReadonlyMap<string, RequestTypeFacts>,
): Terms {
  const compiled = conditions.map((c) => compileCondition(c, requestTypes));
  const terms: Terms = {
    privilege,
    admin_level,
    channels: Object.freeze([...channels]),
    conditions: compiled,
    asks: compiled.reduce((bits, condition) => bits | condition.asks, 0),
    still: { gateway: undefined as never, direct: undefined as never },
  };
  const still = (via: 'gateway' | 'direct') => freeze(outcomeOf(terms, nothing(via), '', NO_WISH));
  return Object.assign(terms, { still: { gateway: still('gateway'), direct: still('direct') } });
}

/** Circumstances in which nothing is known but how the server is reached. */
const nothing = (via: 'gateway' | 'direct'): Circumstances => ({
  facts: { approvals: [], mfa_instants: [], checkouts: [], client_address: undefined },
  approvals: [],
  known: 0,
  via,
  now: 0 as Instant,
});

/** Never read: there is no approval to compare it with. */
export const NO_WISH = {} as Wish;

const freeze = (made: Outcome): Outcome => {
  Object.freeze(made.conditionals);
  return Object.freeze(made);
};

/** Where no fact that is known can change the outcome: the one that was made at compiling. */
export function stillOutcome(terms: Terms, circumstances: Circumstances): Outcome | undefined {
  if ((terms.asks & circumstances.known) !== 0) return undefined;
  return circumstances.via === 'gateway' ? terms.still.gateway : terms.still.direct;
}

export function outcomeOf(
  terms: Terms,
  circumstances: Circumstances,
  ruleId: string,
  wish: Wish,
): Outcome {
  const conditionals = terms.conditions.map((c) => c.evaluate(circumstances, ruleId, wish));
  let unmet = 0;
  let until = Number.POSITIVE_INFINITY;
  let session_until = Number.POSITIVE_INFINITY;
  let approval_id: string | null = null;
  let approval_until: Instant | null = null;
  let proof_id: string | null = null;
  for (const conditional of conditionals) {
    if (!conditional.condition_is_met) unmet += 1;
    else if (conditional.expires_at !== null) {
      until = Math.min(until, conditional.expires_at);
      if (conditional.type !== 'mfa')
        session_until = Math.min(session_until, conditional.expires_at);
    }
    if (conditional.type === 'mfa') proof_id = conditional.proof_id;
    if (conditional.type === 'access_request') {
      approval_id = conditional.approval_id;
      approval_until = conditional.expires_at;
    }
  }
  const approval = { approval_id, approval_until };
  return { terms, conditionals, unmet, until, session_until, ...approval, proof_id };
}
