import { type Instant, plus } from '@postern/shared';
import type { RequestFacts } from './model.ts';

/** What is due for the current step, given when it became current or was escalated. */
export type Due = 'nothing' | 'expire' | 'deny' | 'escalate';

/**
 * What the time-out of the current step brings at `now`. An escalated step runs its
 * time once more from `since`, then expires. No time-out approves.
 */
export function dueAt(request: RequestFacts, since: Instant, now: Instant): Due {
  const step = request.steps[request.step];
  if (request.state !== 'pending' || step === undefined) return 'nothing';
  if (now < plus(since, step.timeout)) return 'nothing';
  if (typeof step.on_timeout === 'string') return step.on_timeout;
  return request.escalated.includes(request.step) ? 'expire' : 'escalate';
}

/** The first instant at which the requester may escalate the current step himself; undefined: never. */
export function mayEscalateFrom(request: RequestFacts, since: Instant): Instant | undefined {
  const step = request.steps[request.step];
  if (request.state !== 'pending' || step === undefined) return undefined;
  if (typeof step.on_timeout !== 'object' || step.escalate_after === null) return undefined;
  if (request.escalated.includes(request.step)) return undefined;
  return plus(since, step.escalate_after);
}
