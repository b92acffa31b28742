import type { ProblemCode } from '@postern/shared';
import type { Purpose, RequestState } from './model.ts';

export type Event =
  | 'raise'
  | 'approve'
  | 'deny'
  | 'cancel'
  | 'expire'
  | 'activate'
  | 'end'
  | 'revoke'
  | 'fail';

const REACHES: Readonly<Record<Event, RequestState>> = {
  raise: 'pending',
  approve: 'approved',
  deny: 'denied',
  cancel: 'canceled',
  expire: 'expired',
  activate: 'active',
  end: 'ended',
  revoke: 'revoked',
  fail: 'failed',
};

/**
 * Every legal change of state; null is "does not exist yet". The same pairs stand in
 * the database as the target of a foreign key, and a test holds the two equal.
 */
export const LEGAL_PAIRS: readonly (readonly [RequestState | null, RequestState])[] = [
  [null, 'pending'],
  ['pending', 'approved'],
  ['pending', 'denied'],
  ['pending', 'canceled'],
  ['pending', 'expired'],
  ['approved', 'active'],
  ['approved', 'ended'],
  ['approved', 'revoked'],
  ['approved', 'failed'],
  ['active', 'ended'],
  ['active', 'revoked'],
  ['active', 'failed'],
];

export type Transition =
  | { readonly ok: true; readonly to: RequestState }
  | { readonly ok: false; readonly code: ProblemCode };

/** Only a pending request can be resolved, and only group memberships become active. */
export function transition(from: RequestState | null, event: Event, purpose: Purpose): Transition {
  const to = REACHES[event];
  const legal = LEGAL_PAIRS.some(([a, b]) => a === from && b === to);
  if (legal && !(to === 'active' && purpose !== 'group_membership')) return { ok: true, to };
  return {
    ok: false,
    code: resolves(event) && from !== null ? 'request_already_resolved' : 'state_conflict',
  };
}

/** No event leads out of these. */
export const isFinal = (state: RequestState): boolean =>
  LEGAL_PAIRS.every(([from]) => from !== state);

const resolves = (event: Event): boolean =>
  event === 'approve' || event === 'deny' || event === 'cancel' || event === 'expire';
