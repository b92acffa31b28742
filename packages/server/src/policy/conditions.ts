import type { Instant } from '@postern/shared';
import { type Demand, findApproval, type Wish } from './approvals.ts';
import { type Cidr, contains, parseAddress, parseCidr } from './cidr.ts';
import { describe } from './describe.ts';
import type { Approval, Facts, RequestTypeFacts } from './facts.ts';
import type { Conditional } from './method.ts';
import type { Condition, ConditionOf } from './model.ts';
import { connectionProof, latestProof } from './proofs.ts';
import { timeWindow } from './window.ts';

/** What a condition is evaluated against. */
export interface Circumstances {
  readonly facts: Facts;
  /** Those of `facts.approvals` that are about this person and this server. */
  readonly approvals: readonly Approval[];
  /** Bits of `ASKS`: which facts there are. */
  readonly known: number;
  readonly via: 'gateway' | 'direct';
  readonly now: Instant;
}

/** A condition whose bit is not known comes out as it always does on such a server. */
export const ASKS = {
  access_request: 1,
  mfa: 2,
  gateway: 0,
  time_window: 4,
  source_address: 8,
} as const satisfies Record<Condition['condition_type'], number>;

/** As {@link ASKS}, of MFA for every connection: it asks for a proof of this very one. */
const ASKS_CONNECTION = 16;

/** The facts that are about one account, and so may differ between options of the same terms. */
export const ASKS_OF_ACCOUNT: number = ASKS.access_request | ASKS_CONNECTION;

/** The time is always known. */
export function whatIsKnown(facts: Facts, approvals: readonly Approval[]): number {
  let known: number = ASKS.time_window;
  if (approvals.length > 0) known |= ASKS.access_request;
  if (facts.mfa_instants.length > 0) known |= ASKS.mfa;
  if (facts.connection_proofs !== undefined) known |= ASKS_CONNECTION;
  if (facts.mfa_is_waived === true) known |= ASKS.mfa | ASKS_CONNECTION;
  if (facts.client_address !== undefined) known |= ASKS.source_address;
  return known;
}

/** A condition, ready to be evaluated. What cannot be evaluated is not met. */
export interface CompiledCondition {
  readonly type: Condition['condition_type'];
  /** Bits of the facts that can change its outcome. */
  readonly asks: number;
  /** Shared and frozen. */
  readonly unmet: Conditional;
  /** `rule_id` and `wish`: who asks for what; read by those that ask {@link ASKS_OF_ACCOUNT} alone. */
  evaluate(circumstances: Circumstances, ruleId: string, wish: Wish): Conditional;
}

export function compileCondition(
  condition: Condition,
  requestTypes: ReadonlyMap<string, RequestTypeFacts>,
): CompiledCondition {
  switch (condition.condition_type) {
    case 'access_request':
      return accessRequest(condition, requestTypes.get(condition.request_type.id));
    case 'mfa':
      return mfa(condition);
    case 'gateway':
      return gateway(condition);
    case 'time_window':
      return window(condition);
    case 'source_address':
      return sourceAddress(condition);
  }
}

function accessRequest(
  condition: ConditionOf<'access_request'>,
  type: RequestTypeFacts | undefined,
): CompiledCondition {
  const id = condition.request_type.id;
  const requestType = Object.freeze({ id, name: type?.name ?? condition.request_type.name });
  const fixed = {
    type: 'access_request',
    condition_is_met: false,
    description: describe({ ...condition, request_type: requestType }),
    request_type: requestType,
    expires_after_seconds: condition.expires_after_seconds,
    approval_id: null,
    request_id: null,
    expires_at: null,
  } as const;
  const unmet = Object.freeze(fixed);
  return {
    type: 'access_request',
    asks: ASKS.access_request,
    unmet,
    evaluate({ approvals, now }, ruleId, wish) {
      if (approvals.length === 0) return unmet;
      const demand: Demand = {
        rule_id: ruleId,
        request_type_id: id,
        request_type: type,
        expires_after_seconds: condition.expires_after_seconds,
      };
      const met = findApproval(approvals, wish, demand, now);
      if (met === undefined) return unmet;
      return {
        ...fixed,
        condition_is_met: true,
        approval_id: met.approval.id,
        request_id: met.approval.request_id,
        expires_at: met.until,
      };
    },
  };
}

/** "For every connection" is met by a proof of this very one, and never by a remembered one. */
function mfa(condition: ConditionOf<'mfa'>): CompiledCondition {
  const { re_auth_frequency_in_seconds: frequency, acr_values } = condition;
  const fixed = {
    type: 'mfa',
    condition_is_met: false,
    description: describe(condition),
    re_auth_frequency_in_seconds: frequency,
    acr_values,
    proof_id: null,
    expires_at: null,
  } as const;
  const unmet = Object.freeze(fixed);
  const waived = Object.freeze({ ...fixed, condition_is_met: true });
  // Of a live session the time may be over; that nobody proved anything as strong may not be.
  const live = ({ facts, now }: Parameters<CompiledCondition['evaluate']>[0]) =>
    latestProof(facts.mfa_instants, acr_values, now) === undefined ? unmet : waived;
  const evaluate: CompiledCondition['evaluate'] =
    frequency === 0
      ? (about, _ruleId, wish) => {
          const { facts, now } = about;
          if (facts.mfa_is_waived === true) return live(about);
          const proof = connectionProof(facts.connection_proofs ?? [], wish, acr_values, now);
          if (proof === undefined) return unmet;
          return { ...fixed, condition_is_met: true, proof_id: proof.id, expires_at: proof.until };
        }
      : (about) => {
          const { facts, now } = about;
          if (facts.mfa_is_waived === true) return live(about);
          const at = latestProof(facts.mfa_instants, acr_values, now);
          const until = at === undefined ? now : ((at + frequency * 1000) as Instant);
          return now < until ? { ...fixed, condition_is_met: true, expires_at: until } : unmet;
        };
  return { type: 'mfa', asks: frequency === 0 ? ASKS_CONNECTION : ASKS.mfa, unmet, evaluate };
}

/** Met where the server is reached through a gateway; recording is what the session then owes. */
function gateway(condition: ConditionOf<'gateway'>): CompiledCondition {
  const fixed = {
    type: 'gateway',
    condition_is_met: false,
    description: describe(condition),
    traffic_forwarding: condition.traffic_forwarding,
    session_recording: condition.session_recording,
    expires_at: null,
  } as const;
  const unmet = Object.freeze(fixed);
  const met = Object.freeze({ ...fixed, condition_is_met: true });
  return {
    type: 'gateway',
    asks: ASKS.gateway,
    unmet,
    evaluate: ({ via }) => (via === 'gateway' ? met : unmet),
  };
}

function window(condition: ConditionOf<'time_window'>): CompiledCondition {
  const { zone, days, from, to } = condition;
  const fixed = {
    type: 'time_window',
    condition_is_met: false,
    description: describe(condition),
    zone,
    days,
    from,
    to,
    expires_at: null,
  } as const;
  const unmet = Object.freeze(fixed);
  const open = timeWindow(condition);
  return {
    type: 'time_window',
    asks: ASKS.time_window,
    unmet,
    evaluate({ now }) {
      const closesAt = open?.closesAt(now);
      if (closesAt === undefined) return unmet;
      return { ...fixed, condition_is_met: true, expires_at: closesAt };
    },
  };
}

function sourceAddress(condition: ConditionOf<'source_address'>): CompiledCondition {
  const { cidrs } = condition;
  const fixed = {
    type: 'source_address',
    condition_is_met: false,
    description: describe(condition),
    cidrs,
    expires_at: null,
  } as const;
  const unmet = Object.freeze(fixed);
  const met = Object.freeze({ ...fixed, condition_is_met: true });
  const blocks = cidrs.map(parseCidr).filter((block): block is Cidr => block !== undefined);
  return {
    type: 'source_address',
    asks: ASKS.source_address,
    unmet,
    evaluate({ facts }) {
      const text = facts.client_address;
      const address = text === undefined ? undefined : parseAddress(text);
      if (address === undefined) return unmet;
      return blocks.some((block) => contains(block, address)) ? met : unmet;
    },
  };
}
