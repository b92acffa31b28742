import type { Instant } from '@postern/shared';
import type { Caller } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import type { Job, JobPerson } from './job.ts';
import { jobOf } from './store.ts';
import { linksSince } from './store-people.ts';

/** The job behind a token; undefined: it is no job's. */
export const jobOfToken = (tx: Tx, tokenId: string): Promise<Job | undefined> =>
  jobOf(tx.sql, tokenId);

export interface Behind {
  /** Whom the accounts behind a job are linked to, and whoever linked them. */
  readonly made_by: readonly string[];
  /** Somebody is not linked, or not even named. */
  readonly unknown: boolean;
  readonly people: readonly JobPerson[];
}

/**
 * Who is behind a job. Whoever says that an account is this or that person has a say in who
 * else may approve: he counts as one of them.
 *
 * @param since links that ended after it count still
 */
export async function peopleBehind(
  tx: Tx,
  { issuer, people }: Pick<Job, 'issuer' | 'people'>,
  since: Instant,
): Promise<Behind> {
  const ids = people.flatMap(({ id }) => (id === null ? [] : [id]));
  const links = await linksSince(tx.sql, issuer, ids, since);
  const of = (person: JobPerson) => links.filter((link) => link.actor_id === person.id);
  return {
    made_by: [...new Set(links.flatMap((link) => [link.user_id, ...link.made_by]))],
    unknown: people.some((person) => !of(person).some((link) => link.removed_at === null)),
    people: people.map((person) => ({
      ...person,
      user: of(person).find((link) => link.removed_at === null)?.user_name ?? null,
    })),
  };
}

/** What is said here lasts longer than a job. */
export function refuseJobs({ binding }: Caller): void {
  if (binding === null) return;
  throw new Refusal('not_permitted', 'A job cannot say who may log in.', {
    next: 'Let a pam_admin do it himself.',
  });
}
