import { type Instant, plus, type Seconds, seconds } from '@postern/shared';

/** Who is logged in with a browser, and how he has shown that it is him. */
export interface BrowserLogin {
  readonly session_id: string;
  readonly user_id: string;
  readonly auth_time: Instant;
  /** RFC 8176: pwd, otp, hwk or swk, user, mfa. */
  readonly amr: readonly string[];
  /** The best that was shown: `phr` resists phishing. */
  readonly mfa: 'none' | 'any' | 'phr';
  readonly mfa_at: Instant | null;
  /**
   * Who else could have logged in so: he made, or reset, what it was done with. Whatever is made
   * of this login (a token, a passkey) counts as issued by him.
   */
  readonly issued_by: string | null;
  /** Must come with each form and call that changes something. */
  readonly csrf: string;
}

/** Whatever somebody does; then it is over. */
export const LONGEST_LOGIN: Seconds = seconds(12 * 3_600);
/** So long without being seen. */
const IDLE: Seconds = seconds(3_600);
/** It is put on record at most so often that it was seen. */
const SEEN_EVERY: Seconds = seconds(60);
/** For so long a proof counts where somebody changes what he logs in with. */
const FRESH: Seconds = seconds(10 * 60);

export interface LoginTimes {
  readonly last_seen_at: Instant;
  readonly expires_at: Instant;
  readonly ended_at: Instant | null;
}

export const isLive = ({ last_seen_at, expires_at, ended_at }: LoginTimes, now: Instant): boolean =>
  ended_at === null && now < expires_at && now < plus(last_seen_at, IDLE);

export const isToBeSeen = (last_seen_at: Instant, now: Instant): boolean =>
  now >= plus(last_seen_at, SEEN_EVERY);

export const isFresh = (proved_at: Instant, now: Instant): boolean =>
  now < plus(proved_at, FRESH) && now >= proved_at;

/** What was shown, once. */
export type Proof =
  | { readonly with: 'password' }
  | { readonly with: 'totp' }
  | { readonly with: 'passkey'; readonly synced: boolean };

/** RFC 8176, 2. A passkey's person is verified by it, so it is two factors by itself. */
export function amrOf(proofs: readonly Proof[]): string[] {
  const amr = new Set<string>();
  for (const proof of proofs) {
    if (proof.with === 'password') amr.add('pwd');
    else if (proof.with === 'totp') amr.add('otp').add('mfa');
    else
      amr
        .add(proof.synced ? 'swk' : 'hwk')
        .add('user')
        .add('mfa');
  }
  return [...amr];
}

export function mfaOf(proofs: readonly Proof[]): 'none' | 'any' | 'phr' {
  if (proofs.some((proof) => proof.with === 'passkey')) return 'phr';
  return proofs.some((proof) => proof.with === 'totp') ? 'any' : 'none';
}
