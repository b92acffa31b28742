import type { ProblemCode } from '@postern/shared';
import { transition } from './machine.ts';
import { type Attempt, type Circumstances, checkAgain, mayDecide } from './may-decide.ts';
import type { Decision, RequestState, Vote } from './model.ts';
import { needsOf } from './needs.ts';
import { approvalsOf, isMet, type Yes } from './quorum.ts';
import type { Reason } from './reasons.ts';
import { viewOf } from './roster.ts';

/** Where the votes leave the request. */
export interface Settled {
  readonly result: 'pending' | 'step_met' | 'approved';
  readonly state: RequestState;
  /** The step that is current afterwards; the last one when approved. */
  readonly step: number;
  /** Approvals of the current step that do not stand any more, and why: to be stored as void. */
  readonly void: readonly { readonly vote_id: string; readonly reason: Reason }[];
}

export type Outcome =
  | { readonly ok: false; readonly code: ProblemCode; readonly reason: Reason }
  | ({ readonly ok: true; readonly vote: Vote } & Omit<Settled, 'result'> & {
        readonly result: Settled['result'] | 'denied';
      });

export interface DecideInput extends Attempt {
  readonly decision: Decision;
  /** The id the vote gets. */
  readonly vote_id: string;
}

/** One decision: whether it may be given, the vote to store, and where it leaves the request. */
export function decide(input: DecideInput): Outcome {
  const may = mayDecide(input);
  if (!may.ok) return may;
  const vote: Vote = {
    id: input.vote_id,
    step: input.step,
    decision: input.decision,
    by: input.actor,
    for: may.for,
    token_issued_by: input.token_issued_by ?? null,
    persons: may.persons,
    void: false,
  };
  const { request } = input;
  if (vote.decision === 'deny')
    return { ok: true, vote, result: 'denied', state: 'denied', step: request.step, void: [] };
  const votes = [...request.votes, vote];
  return { ok: true, vote, ...settle({ ...input, request: { ...request, votes } }) };
}

/**
 * Checks every approval of the current step again and counts those that stand. To be
 * called with each decision, and after an escalation or a change of who is eligible:
 * votes given before may then be enough. A step that is met passes to the next; the last
 * one approves. Nothing else approves.
 */
export function settle(circumstances: Circumstances): Settled {
  const { request, roster } = circumstances;
  const { standing, broken } = standingVotes(circumstances);
  const stays = { state: request.state, step: request.step, void: broken };
  const need = needsOf(request, request.step);
  const met =
    request.state === 'pending' &&
    need !== undefined &&
    isMet(need, standing, viewOf(request.requester, roster));
  if (!met) return { ...stays, result: 'pending' };
  if (request.step + 1 < request.steps.length)
    return { ...stays, result: 'step_met', step: request.step + 1 };
  const approved = transition(request.state, 'approve', request.purpose);
  return approved.ok
    ? { ...stays, result: 'approved', state: approved.to }
    : { ...stays, result: 'pending' };
}

/** The approvals of the current step, told apart into those that stand and those that do not. */
export function standingVotes(circumstances: Circumstances): {
  readonly standing: readonly Yes[];
  readonly broken: Settled['void'];
} {
  const { request } = circumstances;
  const standing: Yes[] = [];
  const broken: { vote_id: string; reason: Reason }[] = [];
  for (const vote of approvalsOf(request, request.step)) {
    const checked = checkAgain(vote, circumstances);
    if (checked.stands) standing.push({ as: vote.for ?? vote.by, persons: checked.persons });
    else broken.push({ vote_id: vote.id, reason: checked.reason });
  }
  return { standing, broken };
}
