import { type Instant, type Operation, plus, type Relation, seconds } from '@postern/shared';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions, lockShared } from '../platform/locks.ts';
import type { Transact, Tx } from '../platform/tx.ts';
import { isTokenText, presentedHash } from './access-token.ts';
import {
  type Actor,
  type BrowserCaller,
  type Caller,
  type ChatCaller,
  relationsFor,
} from './caller.ts';
import type { Presented } from './presented.ts';
import { isFresh, PROOF_WINDOW_SECONDS, type Proof, proofHash } from './proof.ts';
import { unauthenticated } from './refusal.ts';
import { findToken, findUser, rolesOf, type TokenRow } from './store.ts';
import { findAccessToken, insertProof } from './store-access.ts';
import { isNobodys } from './store-tokens.ts';
import { matchesToken, parseToken } from './token.ts';

/**
 * Who the presented token stands for, read in this transaction under the user's revision
 * lock: what disables him, ends his token or takes his role waits, or has happened.
 * One answer for every fault of a token, so that nothing can be learned from it.
 *
 * @param changes whether he himself is about to change: his lock is then taken for that
 * @throws Refusal `unauthenticated`
 */
export async function authenticate(
  tx: Tx,
  presented: Presented | undefined,
  changes = false,
): Promise<Caller> {
  const { id, user_id } = await presentedToken(tx, presented);
  await (changes ? bumpRevisions : lockShared)(tx.sql, [user_id]);
  if (presented?.scheme === 'DPoP') await useProof(tx, presented.proof);
  const token = await findToken(tx.sql, id);
  if (token === undefined) throw unauthenticated();
  return await callerWith(tx, token);
}

/**
 * As {@link authenticate} without the lock, which is a write and waits for the disk: only
 * for answers that a second ago were as good. Whoever asks has taken a proof before.
 */
export const recognize = async (tx: Tx, presented: Presented | undefined): Promise<Caller> =>
  callerWith(tx, await presentedToken(tx, presented));

async function presentedToken(tx: Tx, presented: Presented | undefined): Promise<TokenRow> {
  if (presented === undefined) throw unauthenticated();
  return presented.scheme === 'Bearer'
    ? await staticToken(tx, presented.token)
    : await loginOf(tx, presented.token, presented.proof);
}

async function staticToken(tx: Tx, text: string): Promise<TokenRow> {
  const parsed = parseToken(text);
  if (!parsed.ok) throw unauthenticated();
  const found = await findToken(tx.sql, parsed.id);
  const hash = found?.hash ?? null;
  if (found === undefined || hash === null || !matchesToken(parsed, hash)) throw unauthenticated();
  return found;
}

/** The login that an access token names; the proof must be by the key that the token is bound to. */
async function loginOf(tx: Tx, text: string, proof: Proof): Promise<TokenRow> {
  if (!isTokenText(text)) throw unauthenticated();
  const access = await findAccessToken(tx.sql, presentedHash('AccessToken', text));
  if (access === undefined || access.token_id === null || access.jkt !== proof.jkt)
    throw unauthenticated();
  if (access.expires_at <= tx.now) throw unauthenticated();
  const login = await findToken(tx.sql, access.token_id);
  if (login === undefined || login.hash !== null) throw unauthenticated();
  return login;
}

/** A proof is good about now, and once: for whoever else comes with it in this time, it was used. */
async function useProof(tx: Tx, proof: Proof): Promise<void> {
  if (!isFresh(proof, tx.now)) throw unauthenticated();
  if (!(await takeProof(tx, proof))) throw unauthenticated();
}

/** @returns whether it is used for the first time */
const takeProof = (tx: Tx, proof: Proof): Promise<boolean> =>
  // Remembered longer than it stays fresh, also when made by a clock that is ahead of ours.
  insertProof(tx.sql, proofHash(proof), plus(tx.now, seconds(3 * PROOF_WINDOW_SECONDS)));

/** After a call that was let in and then refused: its proof is used up all the same. */
export async function spend(transact: Transact, presented: Presented | undefined): Promise<void> {
  if (presented?.scheme === 'DPoP') await transact((tx) => takeProof(tx, presented.proof));
}

async function callerWith(tx: Tx, token: TokenRow): Promise<Caller> {
  if (token.revoked_at !== null || token.expires_at <= tx.now) throw unauthenticated();
  const user = await findUser(tx.sql, token.user_id);
  if (user === undefined || user.status !== 'ACTIVE') throw unauthenticated();
  return {
    user_id: user.id,
    login: user.login,
    name: user.name,
    type: user.type,
    roles: await rolesOf(tx.sql, user.id, tx.now),
    token_id: token.id,
    token_kind: token.kind,
    token_issued_by: await personBehind(tx, token.issued_by),
    token_made_by: token.made_by,
    binding: token.binding,
    token_expires_at: token.expires_at,
  };
}

/**
 * The person of a chat link, with his roles as they are now. Whoever asks holds his revision
 * lock and has read the link under it.
 *
 * @returns undefined when he is not active
 */
export async function callerByChatLink(
  tx: Tx,
  link: { readonly id: string; readonly user_id: string; readonly issued_by: string | null },
): Promise<ChatCaller | undefined> {
  const caller = await callerWithoutToken(tx, link);
  return caller === undefined ? undefined : { ...caller, chat_link_id: link.id };
}

/** As {@link callerByChatLink}, of a login in a browser: what takes an {@link Actor} is his to do. */
export async function callerByBrowser(
  tx: Tx,
  login: {
    readonly user_id: string;
    readonly issued_by: string | null;
    readonly mfa: 'none' | 'any' | 'phr';
    readonly mfa_at: Instant | null;
  },
): Promise<BrowserCaller | undefined> {
  const caller = await callerWithoutToken(tx, login);
  if (caller === undefined) return undefined;
  const { mfa, mfa_at } = login;
  const browser_proofs = mfa === 'none' || mfa_at === null ? [] : [{ acr: mfa, at: mfa_at }];
  return { ...caller, browser_proofs };
}

async function callerWithoutToken(
  tx: Tx,
  { user_id, issued_by }: { readonly user_id: string; readonly issued_by: string | null },
): Promise<(Actor & { readonly token_id: null }) | undefined> {
  const user = await findUser(tx.sql, user_id);
  if (user === undefined || user.status !== 'ACTIVE') return undefined;
  return {
    user_id: user.id,
    login: user.login,
    name: user.name,
    type: user.type,
    roles: await rolesOf(tx.sql, user.id, tx.now),
    token_id: null,
    token_issued_by: await personBehind(tx, issued_by),
    token_made_by: [],
    binding: null,
  };
}

/** Whether a token opens anything now. Whoever asks holds its holder's revision lock. */
export async function isTokenLive(tx: Tx, id: string): Promise<boolean> {
  const token = await findToken(tx.sql, id);
  return token !== undefined && token.revoked_at === null && token.expires_at > tx.now;
}

/**
 * The relations in which this caller may use the operation.
 * @throws Refusal `not_permitted` when there is none
 */
export function permit(operation: Operation, caller: Actor): ReadonlySet<Relation> {
  const relations = relationsFor(operation.access, caller.roles);
  if (relations.size === 0)
    throw new Refusal(
      'not_permitted',
      `${caller.name} holds no role that allows ${operation.id}.`,
      {
        next: 'A pam_admin gives roles through groups.',
      },
    );
  return relations;
}

/**
 * Who counts as having issued the token. The bootstrap account belongs to nobody: whoever
 * installed the service has its database and master key anyway, and no person to be told
 * apart from.
 */
const personBehind = async (tx: Tx, issuedBy: string | null): Promise<string | null> =>
  issuedBy !== null && (await isNobodys(tx.sql, issuedBy)) ? null : issuedBy;
