import type { Jobs } from '../platform/jobs.ts';
import type { Transact } from '../platform/tx.ts';
import { findWaiting, markDelivered } from './store.ts';

interface World {
  readonly jobs: Jobs;
  readonly transact: Transact;
  readonly log: { info(facts: object, line: string): void };
}

/** Until there is a way to mail, a message leaves into the service's own log: to whom, about what. */
export function startMessages({ jobs, transact, log }: World): Promise<void> {
  return jobs.work('message.send', async ({ message_id }) => {
    const message = await transact((tx) => findWaiting(tx.sql, message_id));
    if (message === undefined) return;
    // Marked only afterwards: a crash in between sends it again, with the same id.
    log.info({ message }, 'message left');
    await transact((tx) => markDelivered(tx.sql, message_id, tx.now));
  });
}
