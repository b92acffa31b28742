import { plus, seconds } from '@postern/shared';
import { type Author, eventFrom } from '../identity/index.ts';
import { userRef } from '../platform/actor.ts';
import type { EventReference } from '../platform/audit.ts';
import { json } from '../platform/columns.ts';
import { bumpRevisions, lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { COOKIE_BYTES, cookieOf, csrfOf, hashOfCookie } from './cookie.ts';
import {
  amrOf,
  type BrowserLogin,
  isLive,
  isToBeSeen,
  LONGEST_LOGIN,
  mfaOf,
  type Proof,
} from './model.ts';
import {
  dropOldLogins,
  endLogins,
  endLoginsIssuedBy,
  findLogin,
  holdersOfLoginsBy,
  insertLogin,
  type LoginRow,
  updateLogin,
} from './store.ts';

/** For so long those that are over stay, so that it can be seen that there was one. */
const KEPT = seconds(30 * 86_400);
const REMOVED = 50;

/** As {@link BrowserLogin}, with what the pages of this feature show. */
export interface PageLogin extends BrowserLogin {
  readonly login: string;
  readonly name: string;
  readonly row: LoginRow;
}

/**
 * Who is logged in with the browser that sent this Cookie header, read under his revision
 * lock: what disables him, or ends it, waits or has happened. Being seen puts off its end.
 *
 * @param changes whether he himself is about to change: his lock is then taken for that
 * @returns undefined: nobody
 */
export const browserLoginOf = (
  tx: Tx,
  cookieHeader: string | undefined,
  changes = false,
): Promise<BrowserLogin | undefined> => pageLoginOf(tx, cookieHeader, changes);

export async function pageLoginOf(
  tx: Tx,
  cookieHeader: string | undefined,
  changes = false,
): Promise<PageLogin | undefined> {
  const cookie = cookieOf(cookieHeader, 'login');
  if (cookie === undefined) return undefined;
  const hash = hashOfCookie('login', cookie.value);
  const seen = await findLogin(tx.sql, hash);
  // A cookie that was made over https and comes under a name that others can set was put there.
  if (seen === undefined || seen.secure !== cookie.secure) return undefined;
  await (changes ? bumpRevisions : lockShared)(tx.sql, [seen.user_id]);
  const row = await findLogin(tx.sql, hash);
  if (row === undefined || row.status !== 'ACTIVE' || !isLive(row, tx.now)) return undefined;
  if (isToBeSeen(row.last_seen_at, tx.now))
    await updateLogin(tx.sql, row.id, { last_seen_at: tx.now });
  return {
    session_id: row.id,
    user_id: row.user_id,
    auth_time: row.authenticated_at,
    amr: row.amr,
    mfa: row.mfa,
    mfa_at: row.mfa_at,
    issued_by: row.issued_by,
    csrf: csrfOf(cookie.value),
    login: row.login,
    name: row.name,
    row,
  };
}

/** How somebody has logged in. `proved_at`: when last with the strongest that he has; unset: now. */
export type Shown = Pick<BrowserLogin, 'amr' | 'mfa' | 'mfa_at' | 'auth_time'> & {
  readonly proved_at?: BrowserLogin['auth_time'];
};

/** From where somebody comes. */
export interface Client {
  readonly address: string;
  readonly user_agent: string;
  /** Whether the browser came over https, by the service's own public URL. */
  readonly secure: boolean;
}

/**
 * Logs a person in: always with a new cookie, so that nobody can have given it to the browser
 * before (session fixation). The caller holds his lock and has seen the proofs.
 *
 * @returns the cookie's value, kept nowhere
 */
export async function startLogin(
  tx: Tx,
  user: { readonly id: string; readonly name: string },
  shown: readonly Proof[] | { readonly like: Shown },
  issued_by: string | null,
  client: Client,
): Promise<string> {
  const value = tx.ids.random(COOKIE_BYTES).toString('base64url');
  const id = tx.ids.uuid();
  const {
    amr,
    mfa,
    mfa_at,
    auth_time,
    proved_at = tx.now,
  } = 'like' in shown ? shown.like : first(tx, shown);
  await insertLogin(tx.sql, {
    id,
    hash: hashOfCookie('login', value),
    user_id: user.id,
    issued_by,
    amr: json(amr),
    mfa,
    mfa_at,
    authenticated_at: auth_time,
    proved_at,
    last_seen_at: tx.now,
    expires_at: plus(auth_time, LONGEST_LOGIN),
    secure: client.secure,
    client_address: client.address,
    user_agent: client.user_agent,
  });
  await dropOldLogins(tx.sql, plus(tx.now, seconds(-KEPT)), REMOVED);
  await tx.audit({
    ...eventFrom({ actor: userRefOf(user) }, 'user.session.start', [sessionRef(id)], {
      amr,
      ...(issued_by === null ? {} : { issued_by }),
    }),
    client_address: client.address,
  });
  return value;
}

function first(tx: Tx, proofs: readonly Proof[]): Shown {
  const mfa = mfaOf(proofs);
  const mfa_at = mfa === 'none' ? null : tx.now;
  return { amr: amrOf(proofs), mfa, mfa_at, auth_time: tx.now };
}

/**
 * The person has shown once more that it is him: his login counts as fresh, and has a new
 * cookie, as it opens more than before.
 */
export async function renewLogin(tx: Tx, login: PageLogin, proof: Proof): Promise<string> {
  const value = tx.ids.random(COOKIE_BYTES).toString('base64url');
  const mfa = mfaOf([proof]);
  await updateLogin(tx.sql, login.session_id, {
    hash: hashOfCookie('login', value),
    proved_at: tx.now,
    last_seen_at: tx.now,
    amr: json([...new Set([...login.amr, ...amrOf([proof])])]),
    // Of this proof, both: an older one that was better is not as fresh.
    ...(mfa === 'none' ? {} : { mfa, mfa_at: tx.now }),
  });
  return value;
}

const sessionRef = (id: string): EventReference => ({ type: 'browser_login', id, name: null });
const userRefOf = (user: { readonly id: string; readonly name: string }): EventReference =>
  userRef({ user_id: user.id, name: user.name });

/**
 * Ends one login of a person in a browser, or all of them. His revision is bumped.
 * @returns how many
 */
export async function endBrowserLogins(
  tx: Tx,
  actor: EventReference,
  which: { readonly user_id: string; readonly id?: string },
): Promise<number> {
  const ended = await endLogins(tx.sql, which, tx.now);
  await tx.audit(...ended.map(({ id, user_id }) => endEvent(actor, id, user_id)));
  return ended.length;
}

/** Of somebody who is no longer active, and those that count as issued by him. */
export async function endBrowserLoginsAround(
  tx: Tx,
  { actor }: Pick<Author, 'actor'>,
  userId: string,
): Promise<void> {
  const others = await holdersOfLoginsBy(tx.sql, userId);
  await bumpRevisions(tx.sql, others);
  await endBrowserLogins(tx, actor, { user_id: userId });
  const ended = await endLoginsIssuedBy(tx.sql, userId, tx.now);
  await tx.audit(...ended.map(({ id, user_id }) => endEvent(actor, id, user_id)));
}

const endEvent = (actor: EventReference, id: string, userId: string) =>
  eventFrom({ actor }, 'user.session.end', [
    sessionRef(id),
    { type: 'user', id: userId, name: null },
  ]);
