import { type Instant, plus, seconds } from '@postern/shared';
import type { Tx } from '../platform/tx.ts';
import type { Card } from './card.ts';
import { latestApproval } from './membership.ts';
import type { Step } from './model.ts';

interface StepTimes {
  readonly step_since: Instant;
  readonly step_expires_at: Instant;
  readonly remind_at: Instant;
}

/**
 * The times of a step that becomes current now, or gets its time once more. What is asked for
 * to a date waits no longer than that.
 */
export function timesOf(step: Step, target: Card['target'], now: Instant): StepTimes {
  // A version published before there were reminders does not say when.
  const remindAfter = step.remind_after ?? seconds(Math.floor(step.timeout / 2));
  return {
    step_since: now,
    step_expires_at: earliest(plus(now, step.timeout), lastChance(target)),
    remind_at: plus(now, remindAfter),
  };
}

const earliest = (at: Instant, other: Instant | null): Instant =>
  other !== null && other < at ? other : at;

/** From then on there is nothing left to approve; null: that never comes. */
export const lastChance = (target: Card['target']): Instant | null =>
  target.type === 'group_membership' ? latestApproval(target) : null;

/** Timers for both; whoever is woken reads the request again. */
export async function awaitStep(tx: Tx, requestId: string, times: StepTimes): Promise<void> {
  for (const start_at of [times.remind_at, times.step_expires_at])
    await tx.enqueue({ name: 'request.timeout', payload: { request_id: requestId }, start_at });
}
