import { type EndReason, EXIT } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { ClockPort } from '../context.ts';
import { Failure } from '../failure.ts';
import type { SshEnd } from '../ssh/port.ts';

/** Why the service says that a session ended, and what to do about it. */
const REASONS: Readonly<Record<EndReason, readonly [string, string]>> = {
  client_closed: ['The connection was closed.', AGAIN()],
  target_closed: ['The server closed the connection.', AGAIN()],
  target_unreachable: [
    'The server cannot be reached from the gateway.',
    'Tell its administrators that it does not answer.',
  ],
  target_auth_failed: [
    'The server did not accept the account.',
    "Tell your administrators that the account's credential does not work.",
  ],
  host_key_mismatch: [
    "The server's host key is not the one on record.",
    'Do not work around it; an administrator checks it with `sft-admin servers trust`.',
  ],
  recording_failed: ['The session could not be recorded, so it was ended.', TELL()],
  expired: ['The time of your access is over.', 'Run the same command again to ask for more.'],
  revoked: ['Your access was revoked.', 'Ask whoever approved it, or raise a new request.'],
  dropped: ['You gave this access up.', 'Run the same command again to ask for it anew.'],
  policy_changed: [
    'The policy that allowed it has changed.',
    '`sft list-servers` shows what you can reach now.',
  ],
  user_disabled: ['Your user is disabled.', TELL()],
  token_revoked: [
    'The token that opened it was revoked.',
    'Log in again, then run the same command.',
  ],
  server_changed: [
    'The server was changed or removed.',
    '`sft list-servers` shows what you can reach now.',
  ],
  terminated: ['Somebody ended the session.', AGAIN()],
  lease_lost: ['The gateway lost the service, so it ended its sessions.', AGAIN()],
  gateway_stopped: ['The gateway was stopped.', AGAIN()],
  gateway_disabled: ['The gateway was disabled.', TELL()],
  keepalive_lost: ['Nothing came back any more.', AGAIN()],
  limit_exceeded: ['The session went over a limit of the gateway.', AGAIN()],
  protocol_error: ['The gateway got something that is not SSH.', AGAIN()],
};

/** How an SSH session ended, as this program ends. @throws Failure 255 */
export async function exitOf(
  end: SshEnd,
  api: Api,
  sessionId: string,
  clock: ClockPort,
): Promise<number> {
  if (end.kind === 'exited') return end.exit;
  if (end.kind === 'lost' && end.is_told === true) return EXIT.transport;
  if (end.kind === 'host_key_mismatch')
    throw new Failure(
      'host_key_mismatch',
      `The gateway shows another host key (${end.fingerprint}) than the service named.`,
      'Do not go on: somebody may be in between. Tell your administrators.',
    );
  const reason = await reasonOf(api, sessionId, clock);
  if (reason !== undefined) throw new Failure('transport', ...reason);
  throw new Failure('transport', end.why ?? 'The connection was lost.', AGAIN());
}

/** The gateway tells the service how a session has ended a moment after it has closed it. */
const ASKED = 5;
const BETWEEN_MS = 200;

/** What the service knows of a session's end; nothing when it cannot be asked. */
async function reasonOf(
  api: Api,
  id: string,
  clock: ClockPort,
): Promise<readonly [string, string] | undefined> {
  try {
    for (let asked = 1; ; asked++) {
      const { state, end_reason } = await api.call('getSession', { params: { id } });
      const known = end_reason !== null && Object.hasOwn(REASONS, end_reason);
      if (known && end_reason !== 'client_closed') return REASONS[end_reason as EndReason];
      if (state !== 'live' || asked === ASKED) return undefined;
      await clock.sleep(BETWEEN_MS);
    }
  } catch {
    return undefined;
  }
}

function AGAIN(): string {
  return 'Run the same command again.';
}

function TELL(): string {
  return 'Tell your administrators.';
}
