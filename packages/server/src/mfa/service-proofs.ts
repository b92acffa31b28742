import { type Acr, type Instant, instant, plus, type Seconds, seconds } from '@postern/shared';
import type { Actor } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import {
  CONNECTION_WINDOW,
  type ConnectionProof,
  DECISION_WINDOW,
  type DecisionMfa,
  isProven,
  LONGEST_WINDOW,
  type MfaFacts,
  missingProof,
  type Proof,
} from './model.ts';
import { connectionProofs, insertProof, kindOfToken, latestProofs, useProof } from './store.ts';

/** The handle and the instant are all that reading needs. */
type Reading = Pick<Tx, 'sql' | 'now'>;

const before = (now: Instant, by: Seconds): Instant => plus(now, seconds(-by));

/**
 * Writes down that the person of a login has proved himself at that instant; what another
 * replica's clock puts into the future was now. It counts for this login and no other, and no
 * longer than it.
 */
export async function recordProof(
  tx: Tx,
  proof: { user_id: string; token_id: string; acr: Acr; at: Instant },
): Promise<void> {
  const at = instant(Math.min(proof.at, tx.now));
  await insertProof(tx.sql, { id: tx.ids.uuid(), ...proof, at });
  await tx.signal({ kind: 'user', id: proof.user_id });
}

/** The latest proof of each strength of a login that stands, of the last day. */
export async function mfaInstantsOf(tx: Reading, token_id: string): Promise<Proof[]> {
  const since = before(tx.now, LONGEST_WINDOW);
  const rows = await latestProofs(tx.sql, { token_id }, since, tx.now);
  return rows.map(({ acr, at }) => ({ acr, at }));
}

/**
 * What a login has proved, read now. Of the proofs for one connection: those that no session
 * has used or, with `session_id`, the one that this session has.
 */
export async function mfaFactsOf(
  tx: Reading,
  token_id: string,
  session_id: string | null,
): Promise<MfaFacts> {
  const since = before(tx.now, CONNECTION_WINDOW);
  const rows = await connectionProofs(tx.sql, { token_id }, session_id, since, tx.now);
  return factsOf(await mfaInstantsOf(tx, token_id), rows);
}

/** As {@link mfaFactsOf}, of all the logins of a person, by login: for what only shows. */
export async function mfaFactsByLogin(
  tx: Reading,
  user_id: string,
): Promise<ReadonlyMap<string, MfaFacts>> {
  const remembered = await latestProofs(
    tx.sql,
    { user_id },
    before(tx.now, LONGEST_WINDOW),
    tx.now,
  );
  if (remembered.length === 0) return NOTHING;
  const since = before(tx.now, CONNECTION_WINDOW);
  const fresh = await connectionProofs(tx.sql, { user_id }, null, since, tx.now);
  const logins = new Set(remembered.map(({ token_id }) => token_id));
  return new Map(
    [...logins].map((id) => [
      id,
      factsOf(
        remembered.filter((p) => p.token_id === id).map(({ acr, at }) => ({ acr, at })),
        fresh.filter((p) => p.token_id === id),
      ),
    ]),
  );
}

const NOTHING: ReadonlyMap<string, MfaFacts> = new Map();

type Row = Awaited<ReturnType<typeof connectionProofs>>[number];

const factsOf = (mfa_instants: readonly Proof[], rows: readonly Row[]): MfaFacts =>
  rows.length === 0
    ? { mfa_instants }
    : // The table's check says that what a connection needs is there.
      { mfa_instants, connection_proofs: rows as unknown as readonly ConnectionProof[] };

/**
 * Binds the proof of one connection to the session that it opens, for good.
 * @throws Refusal `mfa_required` where another session was quicker
 */
export async function useProofFor(
  tx: Tx,
  proof: { readonly id: string; readonly acr: Acr },
  session: { readonly id: string; readonly user_id: string },
): Promise<void> {
  if (!(await useProof(tx.sql, proof.id, session.id)))
    throw new Refusal('mfa_required', 'This MFA has opened another connection.', {
      next: 'Every connection needs its own: run the same command again.',
      acr_values: proof.acr,
    });
  // Whoever is shown his access methods is not shown it again.
  await tx.signal({ kind: 'user', id: session.user_id });
}

/**
 * Refuses a decision that misses the proof which its request type asks for.
 * @param asked what each version of the type that counts says; null: nothing
 */
export async function refuseUnproven(
  tx: Tx,
  caller: Actor,
  asked: readonly (Acr | null)[],
): Promise<void> {
  const { kind, proofs } = await standingOf(tx, caller);
  const missing = missingProof({ asked, kind, proofs, now: tx.now });
  if (missing === undefined) return;
  const what = missing === 'phr' ? 'phishing-resistant MFA (a passkey)' : 'MFA';
  throw new Refusal('mfa_required', `A decision on this needs ${what} within 15 min.`, {
    next:
      kind === 'login'
        ? caller.browser_proofs === undefined
          ? 'Decide in a terminal, which asks for it: sft-admin approve <id>, or sft-admin deny <id>'
          : 'Log out on the page /account, and log in again with a second factor.'
        : 'Log in as yourself, with a second factor, and decide in a terminal: sft login',
    acr_values: missing,
  });
}

/**
 * Refuses what lets somebody else, or another account, act in the place of the person of a login
 * when that is over: it takes what a decision of his own would. What is no login has no proof.
 *
 * @param what for whom it reads: `Naming a stand-in`
 */
export async function refuseUnprovenLogin(tx: Tx, caller: Actor, what: string): Promise<void> {
  const { kind, proofs } = await standingOf(tx, caller);
  if (kind !== 'login' || isProven(proofs, 'any', DECISION_WINDOW, tx.now)) return;
  throw new Refusal('mfa_required', `${what} needs MFA within 15 min, as a decision does.`, {
    next: 'Log in again with a second factor, then do it: sft login',
    acr_values: 'any',
  });
}

/** How somebody is logged in, and what he proved with it. */
async function standingOf(
  tx: Tx,
  { token_id, browser_proofs }: Actor,
): Promise<Pick<DecisionMfa, 'kind' | 'proofs'>> {
  if (browser_proofs !== undefined) return { kind: 'login', proofs: browser_proofs };
  if (token_id === null) return { kind: null, proofs: [] };
  const kind = (await kindOfToken(tx.sql, token_id)) ?? null;
  return { kind, proofs: await mfaInstantsOf(tx, token_id) };
}
