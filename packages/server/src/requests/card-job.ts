import type { Card } from './card.ts';
import { type Row, row } from './card-words.ts';

type Job = NonNullable<Card['job']>;

/** What runs, where its code is, and who started it; nothing for a request of no job. */
export function jobRows({ card: { job } }: { readonly card: Card }): Row[] {
  if (job === undefined) return [];
  return [
    row('Repository', [
      job.repository.name === null
        ? `number ${job.repository.id}`
        : `${job.repository.name}, number ${job.repository.id}`,
      `told by ${job.connection.name} (${job.issuer})`,
    ]),
    row('Commit', [job.ref === null ? job.sha : `${job.sha} of ${job.ref}`]),
    row('Job', [
      `workflow ${job.workflow}`,
      job.environment === null ? job.job : `environment ${job.environment}`,
      [
        `run ${job.run_id}`,
        ...(job.run_attempt === null ? [] : [`attempt ${job.run_attempt}`]),
        ...(job.event === null ? [] : [`by ${job.event}`]),
      ].join(', '),
    ]),
    row('Behind it', [
      ...job.people.map(personInWords),
      ...(job.needs_two ? ['not all of them are known here: each step takes two people'] : []),
    ]),
  ];
}

const ROLES = {
  actor: 'started by',
  triggering_actor: 'run again by',
  commit_author: 'commit of',
};

function personInWords({ as, id, name, user }: Job['people'][number]): string {
  if (id === null) return `${ROLES[as]} somebody whom the provider does not name`;
  const account = name === null ? `account ${id}` : `${name} (account ${id})`;
  return `${ROLES[as]} ${account}${user === null ? ', whom nobody here is linked to' : `: ${user}`}`;
}
