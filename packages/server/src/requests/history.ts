import type { Instant, RequestEvent } from '@postern/shared';
import type { RequestFacts, RequestState, UserId, Vote } from './model.ts';

/** A change of state, as it was stored. */
export interface Change {
  readonly from: string;
  readonly to: string;
  readonly at: Instant;
  /** Null: the service itself. */
  readonly by: UserId | null;
}

export interface Escalation {
  readonly step: number;
  readonly at: Instant;
  readonly by: UserId | null;
}

export interface HistoryEntry extends Change {
  readonly event: RequestEvent;
  readonly step: number | null;
}

export interface HistoryFacts {
  readonly request: Pick<RequestFacts, 'state' | 'step' | 'steps'>;
  readonly changes: readonly Change[];
  readonly escalations: readonly Escalation[];
  readonly votes: readonly (Pick<Vote, 'step' | 'decision' | 'by' | 'void'> & {
    readonly at: Instant;
  })[];
}

/**
 * What happened to a request, in order. Its steps have no state of their own: one is met
 * by the last approval that counts in it, or by an escalation after that.
 */
export function composeHistory(facts: HistoryFacts): readonly HistoryEntry[] {
  const changes = facts.changes.map((change) => ({
    ...change,
    event: change.to === 'pending' ? ('raised' as const) : (change.to as EndEvent),
    step: null,
  }));
  const steps = facts.request.steps.flatMap((_, step) =>
    isMet(step, facts) ? stepMet(step, facts) : [],
  );
  const escalations = facts.escalations.map((e) => pending('escalated', e));
  // Of what happened at once: raised, then escalated, then met, then how the request ended.
  const [raised = [], rest = []] = [changes.slice(0, 1), changes.slice(1)];
  return [...raised, ...escalations, ...steps, ...rest].sort((a, b) => a.at - b.at);
}

type EndEvent = Exclude<RequestState, 'pending'>;

const pending = (event: 'escalated' | 'step_met', e: Escalation): HistoryEntry => ({
  event,
  at: e.at,
  from: 'pending',
  to: 'pending',
  step: e.step,
  by: e.by,
});

/** A request that was approved has met all its steps. */
const isMet = (step: number, { request, changes }: HistoryFacts): boolean =>
  step < request.step || changes.some((change) => change.to === 'approved');

function stepMet(step: number, { votes, escalations }: HistoryFacts): readonly HistoryEntry[] {
  const causes: Escalation[] = [
    ...escalations.filter((e) => e.step === step),
    ...votes.filter((v) => v.step === step && v.decision === 'approve' && !v.void),
  ];
  const last = causes.reduce<Escalation | undefined>(
    (found, cause) => (found === undefined || cause.at >= found.at ? cause : found),
    undefined,
  );
  return last === undefined ? [] : [pending('step_met', last)];
}
