import type { AccessRequest } from '@postern/shared';
import { Failure } from '../failure.ts';
import { stillNeeded } from '../render/needed.ts';

/** @returns the request when it gives access, undefined while it is pending. @throws Failure 77 */
export function settled(request: AccessRequest): AccessRequest | undefined {
  if (request.state === 'pending') return undefined;
  if (request.state === 'approved' || request.state === 'active') return request;
  throw ended(request);
}

/** Why a request that has ended gives no access. */
export function ended(request: AccessRequest): Failure {
  const extras = { request_id: request.id };
  const show = `\`sft request show ${request.id}\` shows how it went`;
  const denial = request.decisions.findLast((d) => d.decision === 'deny');
  if (request.state === 'denied' && denial !== undefined) {
    const reason = denial.comment ? `: ${denial.comment}` : '.';
    return new Failure(
      'stopped',
      `Request ${request.id} was denied by ${denial.by.name}${reason}`,
      `${show}; the same access can be asked for again 15 minutes after a denial.`,
      extras,
    );
  }
  return new Failure(
    'stopped',
    `Request ${request.id} is ${request.state}.`,
    `${show}; run the same command again to raise a new one.`,
    extras,
  );
}

/** The end of a command whose request has not been decided yet: 75. */
export function stillWaiting(request: AccessRequest, verb: 'raised' | 'waiting'): Failure {
  const word = verb === 'raised' ? 'raised' : 'is waiting';
  return new Failure(
    'approval_required',
    `Request ${request.id} ${word}. It can be approved by ${stillNeeded(request)}.`,
    'Run the same command again when it is approved, or add --wait.',
    { request_id: request.id, is_news: true },
  );
}

/** `--wait` ran out: 75. */
export function ranOut(request: AccessRequest): Failure {
  return new Failure(
    'approval_required',
    `Request ${request.id} is still waiting for ${stillNeeded(request)}.`,
    'Run the same command again when it is approved, or with a longer --timeout.',
    { request_id: request.id },
  );
}
