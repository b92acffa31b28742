import {
  type Acr,
  type Instant,
  type MfaApprovalState,
  type Seconds,
  seconds,
} from '@postern/shared';

/** A challenge is answered within this, or never. */
export const CHALLENGE_LIFE: Seconds = seconds(5 * 60);
/** Of one challenge. With the last one it has failed. */
export const MOST_WRONG_CODES = 5;
/**
 * Of one person, over all his challenges of an hour. A stolen login that asks for ever new
 * challenges, of whose million codes three are good at a time, then needs years to guess one.
 */
export const MOST_WRONG_AN_HOUR = 10;
/** So many may wait for one person at a time. */
export const MOST_PENDING = 5;
/** How old the proof of somebody who decides on a request may be. */
export const DECISION_WINDOW: Seconds = seconds(15 * 60);
/** How old the proof for one connection may be (see policy/proofs). */
export const CONNECTION_WINDOW: Seconds = seconds(5 * 60);
/** No policy looks further back (see policy/validate-conditions). */
export const LONGEST_WINDOW: Seconds = seconds(86_400);

export type ChallengeState = MfaApprovalState['state'];

/** What has become of a challenge; its time ends by the clock. */
export const stateOf = (
  challenge: { readonly state: 'pending' | 'approved' | 'failed'; readonly expires_at: Instant },
  now: Instant,
): ChallengeState =>
  challenge.state === 'pending' && now >= challenge.expires_at ? 'expired' : challenge.state;

/** A proof as far as it counts for a while, whatever it was given for. */
export interface Proof {
  readonly acr: Acr;
  readonly at: Instant;
}

/** A proof that was given for one connection, and what the person was told of it. */
export interface ConnectionProof extends Proof {
  readonly id: string;
  readonly user_id: string;
  readonly server_id: string;
  readonly server_identity_revision: number;
  readonly identity: string;
  readonly credential_type: 'vaulted_account' | 'principal_account';
  readonly account_id: string | null;
  readonly admin_level: boolean;
  readonly privilege: string;
}

/** What the proofs of one login say to whoever evaluates policy. */
export interface MfaFacts {
  readonly mfa_instants: readonly Proof[];
  /** Left out where there is none. */
  readonly connection_proofs?: readonly ConnectionProof[];
}

/** Phishing-resistant does for everything; at most so old, and not from the future. */
export const isProven = (
  proofs: readonly Proof[],
  wanted: Acr,
  within: Seconds,
  now: Instant,
): boolean =>
  proofs.some(
    ({ acr, at }) => (acr === 'phr' || wanted === 'any') && at <= now && now < at + within * 1000,
  );

/** What is asked of whoever decides on a request. */
export interface DecisionMfa {
  /** Of each version of the type that counts; null: says nothing. */
  readonly asked: readonly (Acr | null)[];
  /** null: a chat. */
  readonly kind: 'static' | 'login' | 'service' | 'workload' | null;
  readonly proofs: readonly Proof[];
  readonly now: Instant;
}

/**
 * The proof that is missing; undefined: none is. A login always needs one. What is no login
 * of a person can have none: it decides unless a version of the type says in so many words
 * that MFA is needed.
 */
export function missingProof({ asked, kind, proofs, now }: DecisionMfa): Acr | undefined {
  const said = asked.filter((acr) => acr !== null);
  if (kind !== 'login' && said.length === 0) return undefined;
  const wanted: Acr = said.includes('phr') ? 'phr' : 'any';
  if (kind !== 'login') return wanted;
  return isProven(proofs, wanted, DECISION_WINDOW, now) ? undefined : wanted;
}
