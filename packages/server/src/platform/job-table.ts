/**
 * Every job: name → payload. A payload holds ids; the worker reads the rows again. A job
 * is a hint that comes at least once: whoever works on one finds out by itself whether
 * there is anything to do.
 */
export interface JobTable {
  /** Something for tests of the platform itself. */
  'platform.ping': { readonly id: string };
  /** The current step of a request may have timed out. */
  'request.timeout': { readonly request_id: string };
  /** The longest period of an approval may be over. */
  'request.end': { readonly request_id: string };
  /** A review of a group may be due, or over. */
  'group.review': { readonly group_id: string };
  /** A target of group push may not know who is in a group. */
  'membership.push': { readonly push_id: string };
  /** A message waits to leave. */
  'message.send': { readonly message_id: string };
}

export interface QueueSettings {
  /** How many of this process's workers take it at once. */
  readonly concurrency: number;
  readonly retries: number;
  /** A worker that takes longer is taken for dead, and the job given to another. */
  readonly expire_seconds: number;
}

const USUAL: QueueSettings = { concurrency: 2, retries: 5, expire_seconds: 60 };

/** One line for every job of the table; a missing one does not compile. */
export const QUEUES: Readonly<Record<keyof JobTable, QueueSettings>> = {
  'platform.ping': USUAL,
  'request.timeout': USUAL,
  'request.end': USUAL,
  'group.review': USUAL,
  'membership.push': USUAL,
  'message.send': USUAL,
};
