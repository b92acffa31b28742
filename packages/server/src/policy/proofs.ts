import type { Instant } from '@postern/shared';
import type { Wish } from './approvals.ts';
import type { ConnectionProof, MfaInstant } from './facts.ts';
import type { Acr } from './model.ts';

/** How old a proof for one connection may be when the connection opens, in milliseconds. */
const FRESH_MS = 5 * 60_000;

/** Phishing-resistant is good for everything; anything else only where anything is enough. */
const isStrong = (acr: Acr, wanted: Acr): boolean => acr === 'phr' || wanted === 'any';

/** The latest proof that is strong enough and not from the future. */
export function latestProof(
  proofs: readonly MfaInstant[],
  wanted: Acr,
  now: Instant,
): Instant | undefined {
  let latest: Instant | undefined;
  for (const { acr, at } of proofs)
    if (isStrong(acr, wanted) && at <= now && (latest === undefined || at > latest)) latest = at;
  return latest;
}

type Check = (proof: ConnectionProof, wish: Wish, wanted: Acr, now: Instant) => boolean;

/** Everything that must hold for a proof to be the one of this very connection. */
export const PROOF_CHECKS = {
  user: (p, wish) => p.user_id === wish.user_id,
  server: (p, wish) => p.server_id === wish.server_id,
  server_identity: (p, wish) => p.server_identity_revision === wish.server_identity_revision,
  identity: (p, wish) => p.identity === wish.identity,
  credential: (p, wish) => p.credential_type === wish.credential_type,
  account: (p, wish) => p.account_id === wish.account_id,
  admin_level: (p, wish) => p.admin_level === wish.admin_level,
  privilege: (p, wish) => p.privilege === wish.privilege,
  acr: (p, _wish, wanted) => isStrong(p.acr, wanted),
  future: (p, _wish, _wanted, now) => p.at <= now,
  stale: (p, _wish, _wanted, now) => now < p.at + FRESH_MS,
} as const satisfies Record<string, Check>;

const CHECKS = Object.values(PROOF_CHECKS) as Check[];

/** The proof that was given for this very connection: the latest; the smallest id of equals. */
export function connectionProof(
  proofs: readonly ConnectionProof[],
  wish: Wish,
  wanted: Acr,
  now: Instant,
): { readonly id: string; readonly until: Instant } | undefined {
  let best: ConnectionProof | undefined;
  for (const proof of proofs) {
    if (!CHECKS.every((holds) => holds(proof, wish, wanted, now))) continue;
    if (best === undefined || proof.at > best.at || (proof.at === best.at && proof.id < best.id))
      best = proof;
  }
  return best && { id: best.id, until: (best.at + FRESH_MS) as Instant };
}
