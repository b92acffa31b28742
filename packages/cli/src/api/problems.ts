import { PROBLEMS, type Problem, type ProblemCode } from '@postern/shared';
import { Failure } from '../failure.ts';
import type { Settings } from '../settings.ts';
import type { HttpAnswer } from './port.ts';

/** What to do about a refusal that does not say it itself. */
const NEXT: Partial<Record<ProblemCode, string>> = {
  unauthenticated: 'Log in again: `sft login`, or set SFT_TOKEN_FILE.',
  not_permitted:
    '`sft whoami` shows your roles and groups; ask an administrator for the right one.',
  requester_cannot_decide: 'Somebody else has to decide; `request show` names who can.',
  not_an_approver: '`requests show` names who can decide.',
  mfa_required: 'Run the same command in a terminal, which asks for it.',
  approval_required: 'Run the same command again when it is approved, or add --wait.',
  not_found: 'Check the name or the id; what you may not see answers the same.',
  already_decided: '`requests show` lists the decisions.',
  request_already_resolved: '`requests show` says how it ended.',
  wrong_step: '`requests show` names the current step.',
  precondition_failed: 'Read it again, then decide.',
  no_eligible_approver: 'Ask an administrator to name somebody who can approve for you.',
  account_checked_out: 'Wait until it is given back, or pick another account.',
  rate_limited: 'Wait a moment, then run the same command again.',
  unavailable: 'Wait a moment, then run the same command again.',
  clock_unsafe: 'Tell your administrators: the service does not trust its clock.',
  recording_unavailable: 'Tell your administrators: nothing can be recorded now.',
  internal: 'Report it with the trace id; the service has logged it.',
};

/** The refusal that an answer carries. */
export function problemOf(
  settings: Settings,
  answer: HttpAnswer,
  /** The variable that the token came from; undefined: from a login. */
  tokenFrom?: string,
): Failure {
  const problem = parse(answer);
  if (problem === undefined) return notOurs(settings, answer.status);
  if (isNoId(problem))
    return new Failure(problem.code, 'That is not an id.', WHOLE_ID, { problem });
  if (problem.code === 'unauthenticated' && tokenFrom !== undefined)
    return new Failure(
      problem.code,
      `The token that ${tokenFrom} gives is not valid, or not any more.`,
      `Unset ${tokenFrom} and run \`sft login\`, or give it a token that is valid.`,
      { problem },
    );
  const { code, detail, next, errors = [], trace_id } = problem;
  const faults = errors.slice(0, 3).map((e) => `${e.pointer || '/'}: ${e.detail}`);
  const more = errors.length > 3 ? `; and ${errors.length - 3} more` : '';
  const where = faults.length > 0 ? ` (${faults.join('; ')}${more})` : '';
  const trace = code === 'internal' ? ` Trace id ${trace_id}.` : '';
  return new Failure(code, `${detail}${where}${trace}`, next ?? NEXT[code] ?? `Try \`--help\`.`, {
    problem,
  });
}

const WHOLE_ID = 'Give it whole, as the list shows it: 01a22cbd-5cdd-7512-bb01-2a4c06e74dda, say.';

/** Whether the service refused nothing but the shape of the id in the path. */
const isNoId = ({ code, errors = [] }: OurProblem): boolean =>
  code === 'invalid_request' &&
  errors.length > 0 &&
  errors.every((e) => e.pointer === '/id' && e.detail.startsWith('params: must match pattern'));

type OurProblem = Problem & { readonly code: ProblemCode };

function parse({ text, headers }: HttpAnswer): OurProblem | undefined {
  if (!String(headers['content-type']).startsWith('application/problem+json')) return undefined;
  try {
    const value = JSON.parse(text) as OurProblem;
    const isOurs = Object.hasOwn(PROBLEMS, value.code) && typeof value.detail === 'string';
    return isOurs ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Something answers there, and it is not the service, or the service is behind a broken proxy. */
export const notOurs = ({ url }: Settings, status: number): Failure =>
  new Failure(
    'unreachable',
    `What answers at ${url.href} is not a working Postern service (HTTP ${status}).`,
    'Check --url and SFT_URL, and any proxy in between.',
  );

export function unreachable({ url }: Settings, code: string): Failure {
  const cause =
    CAUSES[code] ?? (isCertificateFault(code) ? `its certificate is not trusted (${code})` : code);
  const next = isCertificateFault(code)
    ? 'Pass the certificate authority with --ca-file FILE.'
    : 'Check --url and SFT_URL, and that the service runs.';
  return new Failure(
    'unreachable',
    `The service at ${url.href} cannot be reached: ${cause}.`,
    next,
  );
}

const CAUSES: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no network',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'its name cannot be looked up now',
  ETIMEDOUT: 'it did not answer in time',
  TIMEOUT: 'it did not answer in time',
  TOO_LARGE: 'its answer is too large',
  EPROTO: 'it does not speak TLS there',
};

const isCertificateFault = (code: string): boolean =>
  /^(CERT_|ERR_TLS_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|HOSTNAME_MISMATCH|ERR_SSL_.*CERT)/.test(code);
