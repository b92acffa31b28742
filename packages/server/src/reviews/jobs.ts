import { Refusal } from '../platform/errors.ts';
import type { Jobs } from '../platform/jobs.ts';
import { isSafe, startSweep } from '../platform/sweep.ts';
import type { Transact } from '../platform/tx.ts';
import { keepUnanswered, settleUnanswered } from './service-answer.ts';
import { turnReview } from './service-turn.ts';
import { dueGroups } from './store.ts';

interface World {
  readonly jobs: Jobs;
  readonly transact: Transact;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
  readonly onError: (error: unknown) => void;
}

/** Opens reviews when they are due and ends them when they are over, whatever a job missed. */
export async function startGroupReviews(world: World): Promise<{ stop(): Promise<void> }> {
  const { jobs, transact, clock, onError } = world;
  const due = async (groupId: string): Promise<void> => {
    while (isSafe(clock)) {
      const over = await transact((tx) => turnReview(tx, groupId));
      if (over === undefined) return;
      // One by one: a group may have thousands, and each holds up other writers only shortly.
      for (const userId of over.unanswered) await settle(transact, over.review.id, userId);
    }
  };
  await jobs.work('group.review', ({ group_id }) => due(group_id));
  return startSweep({ onError }, async () => {
    const groups = await transact((tx) => dueGroups(tx.sql, tx.now));
    for (const id of groups) await due(id).catch(onError);
  });
}

async function settle(transact: Transact, reviewId: string, userId: string): Promise<void> {
  try {
    await transact((tx) => settleUnanswered(tx, reviewId, userId));
  } catch (error) {
    // Undone whole. He stays, and the review says why: the last admin, for one.
    if (!(error instanceof Refusal)) throw error;
    await transact((tx) => keepUnanswered(tx, reviewId, userId, error.detail));
  }
}
