import type { Instant } from '@postern/shared';
import { findUnstorable } from '../platform/storable.ts';
import type { Job, JobPerson } from './job.ts';
import { textOf } from './match.ts';
import { BELIEVED_FOR, type Claims, type Connection, TOLERANCE } from './model.ts';

export type Read =
  | { readonly ok: true; readonly job: Job; readonly jti: string; readonly until: Instant }
  | { readonly ok: false; readonly reason: string };

/** Of an event that runs what somebody proposed, and nobody has taken. */
const PROPOSED = /^(pull_request|merge_request|external_pull_request|merge_group)/;
const CHILD = 'parent_pipeline';
const PROPOSED_REF = /^refs\/(pull|merge-requests)\//;

/**
 * What a token tells that was signed by the connection's issuer, for this deployment, and has
 * not run out. Whatever is missing, or is no text, is refused.
 */
export function readClaims(connection: Connection, claims: Claims, now: Instant): Read {
  const times = timesOf(claims, now);
  if (!times.ok) return times;
  const jti = textOf(claims, 'jti');
  if (jti === undefined || jti.length > 1_000) return { ok: false, reason: 'no_jti' };
  if (Array.isArray(claims.aud) && claims.aud.length > 1)
    return { ok: false, reason: 'several_audiences' };
  const event = textOf(claims, connection.provider === 'gitlab' ? 'pipeline_source' : 'event_name');
  if (connection.provider !== 'generic' && event === undefined)
    return { ok: false, reason: 'no_event' };
  if (isProposed(claims, event)) return { ok: false, reason: 'pull_request' };
  // It says nothing of its parent's event, which may be a merge request's.
  if (event === CHILD) return { ok: false, reason: 'child_pipeline' };
  const job = JOBS[connection.provider](connection, claims, jti);
  if (job === undefined) return { ok: false, reason: 'claims_missing' };
  if (textsIn(job).some((text) => text.length > 500))
    return { ok: false, reason: 'claim_too_long' };
  if (findUnstorable(job) !== undefined) return { ok: false, reason: 'claim_not_unicode' };
  return { ok: true, job: { ...job, event: event ?? null }, jti, until: times.until };
}

const textsIn = (value: unknown): string[] =>
  typeof value === 'string'
    ? [value]
    : typeof value === 'object' && value !== null
      ? Object.values(value).flatMap(textsIn)
      : [];

function timesOf(
  { iat, exp }: Claims,
  now: Instant,
):
  | { readonly ok: true; readonly until: Instant }
  | { readonly ok: false; readonly reason: string } {
  if (typeof iat !== 'number' || typeof exp !== 'number' || !(exp > iat))
    return { ok: false, reason: 'no_times' };
  if (iat * 1000 > now + TOLERANCE * 1000) return { ok: false, reason: 'issued_in_the_future' };
  const until = Math.min(exp, iat + BELIEVED_FOR) * 1000;
  if (now >= until) return { ok: false, reason: 'too_old' };
  return { ok: true, until: until as Instant };
}

function isProposed(claims: Claims, event: string | undefined): boolean {
  if (event !== undefined && PROPOSED.test(event)) return true;
  for (const name of ['event_name', 'pipeline_source'])
    if (PROPOSED.test(textOf(claims, name) ?? '')) return true;
  // GitLab's `ref` is a name, and `ref_path` the ref.
  for (const name of ['ref', 'ref_path'])
    if (PROPOSED_REF.test(textOf(claims, name) ?? '')) return true;
  // GitHub says them of pull requests only.
  return textOf(claims, 'head_ref') !== undefined || textOf(claims, 'base_ref') !== undefined;
}

type JobOf = (connection: Connection, claims: Claims, jti: string) => Job | undefined;

/** An environment is kept by a retry; a number of the attempt is not. */
const jobName = (environment: string | undefined, attempt: string | undefined, jti: string) =>
  environment === undefined ? `number ${attempt ?? jti}` : `environment ${environment}`;

const github: JobOf = (connection, claims, jti) => {
  const text = (name: string) => textOf(claims, name);
  const [id, sha, run_id] = [text('repository_id'), text('sha'), text('run_id')];
  const workflow_ref = text('workflow_ref');
  const actor = text('actor_id');
  if (!id || !sha || !run_id || !workflow_ref || !actor) return undefined;
  const called = text('job_workflow_ref');
  const attempt = text('run_attempt');
  const again: JobPerson[] =
    attempt === '1' ? [] : [person('triggering_actor', claims, 'triggering_actor')];
  return {
    ...head(connection),
    repository: { id, name: text('repository') ?? null },
    sha,
    ref: text('ref') ?? null,
    workflow:
      called === undefined || called === workflow_ref
        ? workflow_ref
        : `${workflow_ref}, calling ${called}`,
    environment: text('environment') ?? null,
    job: jobName(text('environment'), text('check_run_id'), jti),
    run_id,
    run_attempt: attempt ?? null,
    people: named(connection, [
      person('actor', claims, 'actor'),
      ...again,
      person('commit_author', claims, 'commit_author'),
    ]),
  };
};

const gitlab: JobOf = (connection, claims, jti) => {
  const text = (name: string) => textOf(claims, name);
  const [id, sha, run_id] = [text('project_id'), text('sha'), text('pipeline_id')];
  const workflow = text('ci_config_ref_uri');
  const user = text('user_id');
  if (!id || !sha || !run_id || !workflow || !user) return undefined;
  return {
    ...head(connection),
    repository: { id, name: text('project_path') ?? null },
    sha,
    ref: text('ref_path') ?? text('ref') ?? null,
    workflow,
    environment: text('environment') ?? null,
    job: jobName(text('environment'), text('job_id'), jti),
    run_id,
    run_attempt: null,
    // Of a job that is run again it is whoever did that.
    people: named(connection, [
      { as: 'actor', id: user, name: text('user_login') ?? null, user: null },
      person('commit_author', claims, 'commit_author'),
    ]),
  };
};

/** Whatever it does not tell, no other login has in common with this one. */
const generic: JobOf = (connection, claims, jti) => {
  const text = (name: string) => textOf(claims, name);
  const sub = text('sub');
  if (sub === undefined) return undefined;
  return {
    ...head(connection),
    repository: { id: text('repository_id') ?? sub, name: text('repository') ?? null },
    sha: text('sha') ?? `login ${jti}`,
    ref: text('ref') ?? null,
    workflow: text('workflow_ref') ?? sub,
    environment: text('environment') ?? null,
    job: jobName(text('environment'), text('job_id'), jti),
    run_id: text('run_id') ?? `login ${jti}`,
    run_attempt: text('run_attempt') ?? null,
    people: named(connection, [
      person('actor', claims, 'actor'),
      person('triggering_actor', claims, 'triggering_actor'),
      person('commit_author', claims, 'commit_author'),
    ]),
  };
};

const JOBS: Readonly<Record<Connection['provider'], JobOf>> = { github, gitlab, generic };

const head = ({ id, name, issuer }: Connection) => ({
  connection: { id, name },
  issuer,
  event: null,
});

const person = (as: JobPerson['as'], claims: Claims, name: string): JobPerson => ({
  as,
  id: textOf(claims, `${name}_id`) ?? null,
  name: textOf(claims, name) ?? null,
  user: null,
});

/** Whom the provider does not name may be left out where the connection says so. */
const named = (
  { unnamed_people }: Connection,
  people: readonly JobPerson[],
): readonly JobPerson[] =>
  unnamed_people === 'accepted' ? people.filter(({ id }) => id !== null) : people;
