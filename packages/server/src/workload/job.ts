import { createHash } from 'node:crypto';

/** Somebody who had a hand in a job, by his account at the provider. */
export interface JobPerson {
  readonly as: 'actor' | 'triggering_actor' | 'commit_author';
  /** null: the provider's token does not name him. */
  readonly id: string | null;
  readonly name: string | null;
  /** The name of the person he is linked to; null: nobody. */
  readonly user: string | null;
}

/** A job as its provider's token told: what approvers are shown, and what an approval is bound to. */
export interface Job {
  readonly connection: { readonly id: string; readonly name: string };
  readonly issuer: string;
  /** By its number; a name can be given to another repository. */
  readonly repository: { readonly id: string; readonly name: string | null };
  readonly sha: string;
  readonly ref: string | null;
  readonly workflow: string;
  readonly environment: string | null;
  /** What tells the jobs of a run apart: see {@link bindingOf}. */
  readonly job: string;
  readonly run_id: string;
  readonly run_attempt: string | null;
  readonly event: string | null;
  readonly people: readonly JobPerson[];
}

/**
 * What a later login must have in common with this one to use its approvals: the connection,
 * the repository's number, the commit, the workflow, the run and the job. The attempt is not
 * among it, nor is any name. A job is told by its environment, which a retry keeps; without one
 * by the provider's number of this very attempt, so that a retry asks anew.
 *
 * @returns SHA-256 of them, hex.
 */
export const bindingOf = (job: Job): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        job.connection.id,
        job.repository.id,
        job.sha,
        job.workflow,
        job.run_id,
        job.job,
      ]),
    )
    .digest('hex');
