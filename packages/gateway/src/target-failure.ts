import { type Admitted, type EndReason, fingerprintOf, type TargetAddress } from '@postern/shared';

/** Why a target could not be used, for the session's record and for its person. */
export class TargetFailure extends Error {
  readonly reason: Extract<
    EndReason,
    'target_unreachable' | 'host_key_mismatch' | 'target_auth_failed'
  >;
  /** What to do next: a second line for the person. */
  readonly next: string;
  constructor(reason: TargetFailure['reason'], message: string, next: string) {
    super(message);
    this.name = 'TargetFailure';
    this.reason = reason;
    this.next = next;
  }
}

export function mismatch(name: string, shown: Buffer): TargetFailure {
  return new TargetFailure(
    'host_key_mismatch',
    `the host key of ${name} is not the one on record: it shows ${typeOf(shown)} ${fingerprintOf(shown)}`,
    `If that is right, an admin records it: sft-admin servers trust ${name}`,
  );
}

export function isTheGateway(name: string): TargetFailure {
  return new TargetFailure(
    'target_unreachable',
    `the record of ${name} points at the gateway itself`,
    'An admin corrects the address, the port and the host key of the server record.',
  );
}

export function isLocal(name: string, { host }: Pick<TargetAddress, 'host'>): TargetFailure {
  return new TargetFailure(
    'target_unreachable',
    `${name} is at a loopback or link-local address (${host}), and its record does not allow that`,
    'An admin can allow it in the server record: allow_local_address.',
  );
}

export function unreachable(
  name: string,
  { host, port }: Pick<TargetAddress, 'host' | 'port'>,
  error: unknown,
): TargetFailure {
  return new TargetFailure(
    'target_unreachable',
    `cannot reach ${name} at ${host}:${port}: ${why(error)}`,
    'Check that its sshd runs and that the gateway may reach it.',
  );
}

/** @param error what a login at the target has ended with. */
export function loginFailed(error: Error & { level?: string }, admitted: Admitted): TargetFailure {
  const { server_name: name, target } = admitted;
  if (error instanceof TargetFailure) return error;
  if (error.level !== 'client-authentication') return unreachable(name, target, error);
  return new TargetFailure(
    'target_auth_failed',
    `${name} did not accept the credential on record for ${target.username}`,
    `An admin enters it again: sft-admin accounts set ${name} ${target.username}`,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'the name does not exist',
  EAI_AGAIN: 'the name cannot be resolved now',
  ETIMEDOUT: 'no answer',
};

/** ssh2's and the system's texts, none of which holds a credential. */
function why(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (error instanceof AggregateError && error.errors.length > 0) return why(error.errors[0]);
  return REASONS[code ?? ''] ?? (message || 'no connection');
}

/** The name in front of a key: RFC 4253 §6.6. */
function typeOf(blob: Buffer): string {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  return /^[a-z0-9@.-]{1,64}$/.exec(blob.subarray(4, 4 + length).toString('latin1'))?.[0] ?? 'key';
}
