import { hash } from 'node:crypto';
import type { Instant } from '@postern/shared';
import { isFresh, PROOF_WINDOW_SECONDS, type Proof, proofHash } from './proof.ts';

/** A token as it came, its proof checked but for its age and that it is new. */
export type Presented =
  | { readonly scheme: 'Bearer'; readonly token: string }
  | { readonly scheme: 'DPoP'; readonly token: string; readonly proof: Proof };

/**
 * Under what an answer about it may be remembered: nobody without a proof by the same key
 * gets that answer. A digest, so that no token lies in memory longer than its request.
 */
export function memoryKey(presented: Presented | undefined): string {
  if (presented === undefined) return '';
  const { scheme, token } = presented;
  const jkt = scheme === 'DPoP' ? presented.proof.jkt : '';
  return hash('sha256', `${scheme}\0${token}\0${jkt}`, 'base64url');
}

export interface ProofMemory {
  /** @returns false for a proof that was not made about now, or was taken before. */
  take(proof: Proof, now: Instant): boolean;
}

const MOST = 100_000;
/** A proof from the future is fresh for twice the window. */
const KEEP_MS = (2 * PROOF_WINDOW_SECONDS + 10) * 1000;

/**
 * The proofs that this process has taken, for what only reads. Full, it takes none: each one
 * in it came with a token that was good.
 */
export function createProofMemory(monotonic: () => number): ProofMemory {
  const taken = new Map<string, number>();
  return {
    take(proof, now) {
      const at = monotonic();
      for (const [hash, since] of taken) {
        if (at - since < KEEP_MS) break;
        taken.delete(hash);
      }
      const hash = proofHash(proof);
      if (!isFresh(proof, now) || taken.has(hash) || taken.size >= MOST) return false;
      taken.set(hash, at);
      return true;
    },
  };
}
