import { EXIT, type Exit } from './exits.ts';

interface CodeFacts {
  /** HTTP status of the problem document (RFC 9457). */
  readonly status: number;
  /** What the command-line tools exit with. */
  readonly exit: Exit;
  readonly title: string;
}

/** The closed list of refusals: code → HTTP status, exit code, title. The only place that maps them. */
export const PROBLEMS = {
  invalid_request: { status: 400, exit: EXIT.usage, title: 'The request is not valid' },
  unauthenticated: { status: 401, exit: EXIT.config, title: 'Not logged in' },
  not_permitted: { status: 403, exit: EXIT.refused, title: 'Not permitted' },
  requester_cannot_decide: {
    status: 403,
    exit: EXIT.refused,
    title: 'The requester cannot decide',
  },
  not_an_approver: { status: 403, exit: EXIT.refused, title: 'Not an approver of this step' },
  mfa_required: { status: 403, exit: EXIT.refused, title: 'Fresh multi-factor proof needed' },
  approval_required: { status: 403, exit: EXIT.waiting, title: 'Approval needed' },
  not_found: { status: 404, exit: EXIT.refused, title: 'Not found' },
  request_already_resolved: {
    status: 409,
    exit: EXIT.refused,
    title: 'The request is already resolved',
  },
  already_decided: { status: 409, exit: EXIT.refused, title: 'Already decided' },
  wrong_step: { status: 409, exit: EXIT.refused, title: 'Another step is current' },
  state_conflict: { status: 409, exit: EXIT.refused, title: 'Not possible in this state' },
  account_checked_out: { status: 409, exit: EXIT.refused, title: 'The account is checked out' },
  precondition_failed: { status: 412, exit: EXIT.refused, title: 'It has changed meanwhile' },
  body_too_large: { status: 413, exit: EXIT.usage, title: 'The body is too large' },
  unsupported_media_type: { status: 415, exit: EXIT.usage, title: 'Unsupported media type' },
  no_eligible_approver: { status: 422, exit: EXIT.refused, title: 'Nobody could approve this' },
  request_type_unsatisfiable: {
    status: 422,
    exit: EXIT.usage,
    title: 'The request type can never be met',
  },
  policy_invalid: { status: 422, exit: EXIT.usage, title: 'The policy is not valid' },
  idempotency_key_reused: {
    status: 422,
    exit: EXIT.usage,
    title: 'The idempotency key was used for something else',
  },
  rate_limited: { status: 429, exit: EXIT.unavailable, title: 'Too many requests' },
  internal: { status: 500, exit: EXIT.bug, title: 'A bug in Postern' },
  target_unreachable: { status: 502, exit: EXIT.transport, title: 'The server cannot be reached' },
  host_key_mismatch: { status: 502, exit: EXIT.transport, title: 'The host key does not match' },
  recording_unavailable: {
    status: 503,
    exit: EXIT.unavailable,
    title: 'The recording is unavailable',
  },
  clock_unsafe: { status: 503, exit: EXIT.unavailable, title: 'The clock cannot be trusted' },
  unavailable: { status: 503, exit: EXIT.unavailable, title: 'Unavailable' },
} as const satisfies Record<string, CodeFacts>;

export type ProblemCode = keyof typeof PROBLEMS;
