import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import {
  type CredentialHooks,
  changePassword,
  checkTotp,
  confirmTotp,
  enrolTotp,
  hasSecondFactor,
  type KeptPassword,
  type Methods,
  methodsOf,
  type PasswordOwner,
  passkeyAssertionFinish,
  passkeyAssertionOptions,
  passkeyRegistrationFinish,
  passkeyRegistrationOptions,
  passwordOwner,
  pendingTotp,
  type RelyingParty,
  readKeptPassword,
  removePasskey,
  removeTotp,
  type TotpEnrolment,
} from '../credentials/index.ts';
import { endTokenOf, liveTokensOf } from '../identity/index.ts';
import { userRef } from '../platform/actor.ts';
import { Refusal } from '../platform/errors.ts';
import { isPlainText } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import type { Keyring } from '../vault/index.ts';
import { isFresh, isLive, type Proof } from './model.ts';
import { type Comer, countAttempt, forgiveAttempt } from './service-attempts.ts';
import {
  type Client,
  endBrowserLogins,
  type PageLogin,
  pageLoginOf,
  renewLogin,
  startLogin,
} from './service-sessions.ts';
import { loginsOf } from './store.ts';
import { findUser } from './store-attempts.ts';
import type { Counter } from './throttle.ts';

export interface AccountView {
  readonly login: PageLogin;
  readonly methods: Methods;
  readonly fresh: boolean;
  /** An authenticator app that is being added. */
  readonly adding: TotpEnrolment | undefined;
  /** Who else stands behind this login. */
  readonly issuer: string | null;
  readonly logins: Awaited<ReturnType<typeof loginsOf>>;
  readonly tokens: Awaited<ReturnType<typeof liveTokensOf>>;
}

/** Whoever comes without a login is sent to log in. @throws Refusal `unauthenticated` */
export async function accountLogin(
  tx: Tx,
  cookie: string | undefined,
  changes = false,
): Promise<PageLogin> {
  const login = await pageLoginOf(tx, cookie, changes);
  if (login === undefined)
    throw new Refusal('unauthenticated', 'You are not logged in any more.', {
      next: 'Log in again.',
    });
  return login;
}

export async function viewAccount(
  tx: Tx,
  keyring: Keyring,
  cookie: string | undefined,
): Promise<AccountView> {
  const login = await accountLogin(tx, cookie);
  const methods = await methodsOf(tx, login.user_id);
  const fresh = isProved(tx, login, methods);
  const logins = await loginsOf(tx.sql, login.user_id, tx.now);
  const issuer = login.issued_by === null ? undefined : await findUser(tx.sql, login.issued_by);
  return {
    login,
    issuer: issuer?.name ?? null,
    methods,
    fresh,
    adding: fresh ? await pendingTotp(tx, keyring, login) : undefined,
    logins: logins.filter((one) => isLive(one, tx.now)),
    tokens: await liveTokensOf(tx, login.user_id),
  };
}

/** Within minutes, and with a second factor where there is one. */
function isProved(tx: Tx, login: PageLogin, methods: Methods): boolean {
  if (!isFresh(login.row.proved_at, tx.now)) return false;
  if (!hasSecondFactor(methods)) return true;
  return login.mfa_at !== null && isFresh(login.mfa_at, tx.now);
}

/** As {@link accountLogin}, for what changes how somebody logs in: with a fresh proof. */
async function provedLogin(tx: Tx, cookie: string | undefined): Promise<PageLogin> {
  const login = await accountLogin(tx, cookie, true);
  if (!isProved(tx, login, await methodsOf(tx, login.user_id)))
    throw new Refusal('mfa_required', 'This needs a fresh proof that it is you.', {
      next: 'Prove it on the account page, then do it again.',
    });
  return login;
}

const personOf = ({ user_id, name }: PageLogin) => ({ user_id, name });

export async function beginTotp(tx: Tx, keyring: Keyring, cookie: string | undefined) {
  await enrolTotp(tx, keyring, await provedLogin(tx, cookie));
}

/** @returns the new cookie; undefined: the code was wrong. */
export async function addTotp(
  tx: Tx,
  keyring: Keyring,
  cookie: string | undefined,
  code: string,
): Promise<string | undefined> {
  const login = await provedLogin(tx, cookie);
  if (!(await confirmTotp(tx, keyring, login, code))) return undefined;
  return await renewLogin(tx, login, { with: 'totp' });
}

export async function dropTotp(tx: Tx, cookie: string | undefined): Promise<void> {
  await removeTotp(tx, personOf(await provedLogin(tx, cookie)));
}

export async function dropPasskey(tx: Tx, cookie: string | undefined, id: string): Promise<void> {
  await removePasskey(tx, personOf(await provedLogin(tx, cookie)), id);
}

/** A challenge of this login, for nobody else and for nothing else. */
const bindingOf = (login: PageLogin): string => `login ${login.session_id}`;

export async function passkeyOptions(
  tx: Tx,
  rp: RelyingParty,
  cookie: string | undefined,
  purpose: 'add' | 'prove',
) {
  const login = purpose === 'add' ? await provedLogin(tx, cookie) : await accountLogin(tx, cookie);
  const asking = { binding: bindingOf(login), user_id: login.user_id };
  return purpose === 'add'
    ? await passkeyRegistrationOptions(tx, rp, asking)
    : await passkeyAssertionOptions(tx, rp, asking);
}

/** @returns the new cookie, or why not; then the transaction must commit as well. */
export async function addPasskey(
  tx: Tx,
  rp: RelyingParty,
  cookie: string | undefined,
  { name, response }: { readonly name: string; readonly response: RegistrationResponseJSON },
): Promise<{ readonly cookie: string } | { readonly why: string }> {
  const login = await provedLogin(tx, cookie);
  const called = name.trim();
  if (!isPlainText(called) || [...called].length > 60)
    return { why: 'Give the passkey a name of one line, at most 60 characters.' };
  const made = await passkeyRegistrationFinish(tx, rp, {
    binding: bindingOf(login),
    user: personOf(login),
    issued_by: login.issued_by,
    name: called,
    response,
  });
  if (!made.ok)
    return { why: 'This passkey cannot be taken: it was made too late, elsewhere or before.' };
  return { cookie: await renewLogin(tx, login, { with: 'passkey', synced: made.synced }) };
}

/** The outcome of a proof; `why` goes to the log. A wrong one is counted: commit. */
export type Proved =
  | { readonly kind: 'yes'; readonly cookie: string }
  | { readonly kind: 'wait'; readonly wait: number }
  | {
      readonly kind: 'no';
      readonly why: string;
      readonly user: { readonly id: string; readonly name: string };
    };

export async function proveWithCode(
  tx: Tx,
  keyring: Keyring,
  cookie: string | undefined,
  code: string,
  from: Comer,
): Promise<Proved> {
  const login = await accountLogin(tx, cookie, true);
  const counted = await countAttempt(tx, 'code', login, from);
  if (!counted.ok) return { kind: 'wait', wait: counted.wait };
  const checked = await checkTotp(tx, keyring, login.user_id, code);
  if (!checked.ok) return noProof(login, 'wrong_code');
  await forgiveAttempt(tx, counted.counters);
  return { kind: 'yes', cookie: await renewLogin(tx, login, { with: 'totp' }) };
}

export async function proveWithPasskey(
  tx: Tx,
  rp: RelyingParty,
  cookie: string | undefined,
  response: AuthenticationResponseJSON,
): Promise<Proved> {
  const login = await accountLogin(tx, cookie, true);
  const asserted = await passkeyAssertionFinish(tx, rp, { binding: bindingOf(login), response });
  if (!asserted.ok || asserted.user_id !== login.user_id)
    return noProof(login, asserted.ok ? 'passkey_user' : `passkey_${asserted.reason}`);
  const proof: Proof = { with: 'passkey', synced: asserted.synced };
  return { kind: 'yes', cookie: await renewLogin(tx, login, proof) };
}

const noProof = ({ user_id: id, name }: PageLogin, why: string): Proved => ({
  kind: 'no',
  why,
  user: { id, name },
});

/** Whose password is to be compared outside of the transaction. */
export type PasswordProof =
  | { readonly ok: false; readonly wait: number }
  | {
      readonly ok: true;
      readonly counters: readonly Counter[];
      readonly kept: KeptPassword | undefined;
      readonly user: { readonly id: string; readonly name: string };
    };

/** Where there is a second factor the password alone proves nothing. */
export async function beginPasswordProof(
  tx: Tx,
  keyring: Keyring,
  cookie: string | undefined,
  from: Comer,
): Promise<PasswordProof> {
  const login = await accountLogin(tx, cookie);
  const user = { id: login.user_id, name: login.name };
  const counted = await countAttempt(tx, 'password', login, from);
  if (!counted.ok) return counted;
  const kept = await readKeptPassword(tx, keyring, login.user_id);
  return { ok: true, counters: counted.counters, kept, user };
}

export async function finishPasswordProof(
  tx: Tx,
  keyring: Keyring,
  cookie: string | undefined,
  tried: PasswordProof & { readonly ok: true },
): Promise<Proved> {
  const login = await accountLogin(tx, cookie, true);
  const kept = await readKeptPassword(tx, keyring, login.user_id);
  if (kept?.version !== tried.kept?.version || login.user_id !== tried.user.id)
    return noProof(login, 'changed_meanwhile');
  if (hasSecondFactor(await methodsOf(tx, login.user_id))) return noProof(login, 'password_alone');
  await forgiveAttempt(tx, tried.counters);
  return { kind: 'yes', cookie: await renewLogin(tx, login, { with: 'password' }) };
}

/** Of whom a new password must not be made. Needs a fresh proof. */
export async function newPasswordOwner(tx: Tx, cookie: string | undefined): Promise<PasswordOwner> {
  const login = await provedLogin(tx, cookie);
  const owner = await passwordOwner(tx, login.user_id);
  if (owner === undefined) throw new Error('whoever is logged in is a user');
  return owner;
}

/**
 * Another password: everything that is logged in ends, and this browser is logged in anew with
 * what it had shown. Whoever stands behind this login stands behind the password.
 */
export async function replacePassword(
  tx: Tx,
  world: { readonly keyring: Keyring; readonly hooks: CredentialHooks },
  cookie: string | undefined,
  hash: string,
  client: Client,
): Promise<string> {
  const login = await provedLogin(tx, cookie);
  const user = { id: login.user_id, name: login.name };
  const { issued_by } = login;
  await changePassword(tx, world, user, { hash, issued_by });
  return await startLogin(tx, user, { like: login }, issued_by, client);
}

/** One of the person's: a login in a browser, or a token. */
export async function endOne(tx: Tx, cookie: string | undefined, id: string): Promise<void> {
  const login = await accountLogin(tx, cookie, true);
  const actor = userRef(personOf(login));
  const which = { user_id: login.user_id, id };
  if ((await endBrowserLogins(tx, actor, which)) === 0)
    await endTokenOf(tx, { actor }, { id: login.user_id }, id);
}

export async function endEverything(
  tx: Tx,
  hooks: CredentialHooks,
  cookie: string | undefined,
): Promise<void> {
  const login = await accountLogin(tx, cookie, true);
  await hooks.endLogins(tx, { actor: userRef(personOf(login)) }, login.user_id);
}

/** Ends the login of this browser; without one there is nothing to end. */
export async function logOut(tx: Tx, cookie: string | undefined): Promise<void> {
  const login = await pageLoginOf(tx, cookie, true);
  if (login === undefined) return;
  const which = { user_id: login.user_id, id: login.session_id };
  await endBrowserLogins(tx, userRef(personOf(login)), which);
}
