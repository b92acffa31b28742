import { type EndReason, type Instant, plus, type Seconds, seconds } from '@postern/shared';

/** An opened session must be admitted within this. */
export const ADMISSION_TIME: Seconds = seconds(60);
/** A gateway that is silent for longer has lost its sessions. */
export const LEASE_TIME: Seconds = seconds(15);
export const NONCE_LIFE: Seconds = seconds(60);

export type SessionState = 'opening' | 'live' | 'ended' | 'cut' | 'lost' | 'abandoned';

/** Every legal change of a session's state. */
export const SESSION_PAIRS: readonly (readonly [SessionState, SessionState])[] = [
  ['opening', 'live'],
  ['opening', 'abandoned'],
  ['live', 'ended'],
  ['live', 'cut'],
  ['live', 'lost'],
];

/** Why the service itself ends a session. */
export type CutReason = Extract<
  EndReason,
  | 'expired'
  | 'revoked'
  | 'dropped'
  | 'policy_changed'
  | 'user_disabled'
  | 'token_revoked'
  | 'server_changed'
  | 'terminated'
  | 'gateway_disabled'
  | 'gateway_stopped'
>;

/** How long before its end the person of a session is warned, the longer first. */
export const WARNINGS = [300, 60] as const;
type Warning = (typeof WARNINGS)[number];

/**
 * The warning that is due of a session that ends at `ends_at`; undefined when it was given
 * already, or none is due. An end that moves is warned of anew.
 */
export function warningDue(
  session: {
    readonly expires_at: Instant;
    readonly warned_until: Instant | null;
    readonly warned_seconds: number | null;
  },
  now: Instant,
): Warning | undefined {
  const left = (session.expires_at - now) / 1000;
  const due = WARNINGS.findLast((seconds) => left <= seconds);
  if (due === undefined || left <= 0) return undefined;
  const given = session.warned_until === session.expires_at ? session.warned_seconds : null;
  return given !== null && given <= due ? undefined : due;
}

/** One line for the person whose session it was: why, and what to do. */
export const CUT_MESSAGES: Readonly<Record<CutReason, string>> = {
  expired: 'the approved time is over; request access again',
  revoked: 'the approval was revoked; ask the approver why',
  dropped: 'you gave this access up',
  policy_changed: 'policy no longer allows this access; see what it allows now with sft ssh',
  user_disabled: 'your account was disabled; ask an administrator',
  token_revoked: 'the token that opened it was revoked; log in and connect again',
  server_changed: 'the server or its account was changed or removed; request access again',
  terminated: 'an administrator ended this session',
  gateway_disabled: 'the gateway was disabled; connect again',
  gateway_stopped: 'the gateway has stopped; connect again',
};

/** The state in which a session ends when the service cuts it: one that is only opening was never live. */
export const cutState = (state: SessionState): SessionState =>
  state === 'opening' ? 'abandoned' : 'cut';

/** min(what the method allows but for MFA, the longest any session lasts). */
export function sessionEnd(now: Instant, methodEnd: Instant | null, longest: Seconds): Instant {
  const cap = plus(now, longest);
  return methodEnd !== null && methodEnd < cap ? methodEnd : cap;
}
