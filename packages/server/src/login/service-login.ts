import { isLogin, plus, type Seconds, seconds } from '@postern/shared';
import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import {
  checkTotp,
  hasSecondFactor,
  isPasswordVersion,
  type KeptPassword,
  methodsOf,
  passkeyAssertionFinish,
  passkeyAssertionOptions,
  type RelyingParty,
  readKeptPassword,
} from '../credentials/index.ts';
import { lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import type { Keyring } from '../vault/index.ts';
import { COOKIE_BYTES, hashOfCookie } from './cookie.ts';
import type { Proof } from './model.ts';
import { type Comer, countAttempt, forgiveAttempt, rememberClient } from './service-attempts.ts';
import { type Client, startLogin } from './service-sessions.ts';
import {
  dropOverPending,
  findPending,
  findUser,
  findUserByLogin,
  insertPending,
  takePending,
} from './store-attempts.ts';
import type { Counter } from './throttle.ts';

const PENDING_LIFE = seconds(10 * 60);
const REMOVED = 50;

/** From where somebody logs in, with the device's cookie that he has, or is given now. */
export interface Arrival extends Client, Comer {
  readonly new_device: string;
}

type Person = NonNullable<Awaited<ReturnType<typeof findUser>>>;

const isWelcome = (user: Person | undefined): user is Person =>
  user !== undefined && user.status === 'ACTIVE' && user.type === 'human';

/** What a password is compared with; whoever it is, and whether there is one, is not said. */
export type PasswordTry =
  | { readonly ok: false; readonly wait: Seconds }
  | {
      readonly ok: true;
      readonly counters: readonly Counter[];
      readonly user: { readonly id: string; readonly name: string } | undefined;
      /** undefined: nobody's. */
      readonly kept: KeptPassword | undefined;
    };

/** First half of a login with a password: what to compare with, outside of the transaction. */
export async function beginPassword(
  tx: Tx,
  keyring: Keyring,
  typed: string,
  from: Comer,
): Promise<PasswordTry> {
  const login = typed.trim();
  const found = isLogin(login) ? await findUserByLogin(tx.sql, login) : undefined;
  const account = { login, user_id: found?.id };
  const counted = await countAttempt(tx, 'password', account, from);
  if (!counted.ok) return counted;
  const kept = isWelcome(found) ? await readKeptPassword(tx, keyring, found.id) : undefined;
  return { ok: true, counters: counted.counters, user: found, kept };
}

export type Step =
  /** `login`, `device`: values of cookies. */
  | { readonly kind: 'in'; readonly login: string; readonly device: string }
  /** The password was right, and a second factor is needed. `form`: value of a cookie. */
  | { readonly kind: 'factor'; readonly form: string }
  | { readonly kind: 'wait'; readonly wait: Seconds }
  | { readonly kind: 'no'; readonly why: string; readonly user?: Named };
interface Named {
  readonly id: string;
  readonly name: string;
}

/** Second half: the password was right. What changed meanwhile wins. */
export async function finishPassword(
  tx: Tx,
  tried: PasswordTry & { readonly ok: true; readonly kept: KeptPassword },
  userId: string,
  from: Arrival,
): Promise<Step> {
  await lockShared(tx.sql, [userId]);
  const user = await findUser(tx.sql, userId);
  const { version, issued_by } = tried.kept;
  if (!isWelcome(user) || !(await isPasswordVersion(tx, userId, version)))
    return { kind: 'no', why: 'changed_meanwhile' };
  await forgiveAttempt(tx, tried.counters);
  if (!hasSecondFactor(await methodsOf(tx, userId)))
    return await arrive(tx, user, [{ with: 'password' }], issued_by, from);
  const form = tx.ids.random(COOKIE_BYTES).toString('base64url');
  await dropOverPending(tx.sql, tx.now, REMOVED);
  await insertPending(tx.sql, {
    hash: hashOfCookie('form', form),
    user_id: userId,
    password_version: version,
    issued_by,
    expires_at: plus(tx.now, PENDING_LIFE),
  });
  return { kind: 'factor', form };
}

async function arrive(
  tx: Tx,
  user: Person,
  proofs: readonly Proof[],
  issuedBy: string | null,
  from: Arrival,
): Promise<Step> {
  const device = from.device ?? from.new_device;
  await rememberClient(tx, user.id, { address: from.address, device });
  const login = await startLogin(tx, user, proofs, issuedBy, from);
  return { kind: 'in', login, device };
}

/** Whose password this browser has shown, and what he may go on with; undefined: nobody's. */
export async function pendingOf(tx: Tx, form: string) {
  const pending = await findPending(tx.sql, hashOfCookie('form', form), tx.now);
  if (pending === undefined) return undefined;
  await lockShared(tx.sql, [pending.user_id]);
  const user = await findUser(tx.sql, pending.user_id);
  const { user_id, password_version } = pending;
  if (!isWelcome(user) || !(await isPasswordVersion(tx, user_id, password_version)))
    return undefined;
  return { ...pending, user, methods: await methodsOf(tx, user_id) };
}

/** The second factor as a code. A wrong one is counted, so the transaction must commit. */
export async function finishCode(
  tx: Tx,
  keyring: Keyring,
  { form, code }: { readonly form: string; readonly code: string },
  from: Arrival,
): Promise<Step> {
  const pending = await pendingOf(tx, form);
  if (pending === undefined) return { kind: 'no', why: 'over' };
  const { user } = pending;
  const account = { login: user.login, user_id: user.id };
  const counted = await countAttempt(tx, 'code', account, from);
  if (!counted.ok) return { kind: 'wait', wait: counted.wait };
  const checked = await checkTotp(tx, keyring, user.id, code);
  if (!checked.ok) return { kind: 'no', why: 'wrong_code', user };
  // Of two answers at once with two codes, one logs in.
  if (!(await takePending(tx.sql, pending.hash))) return { kind: 'no', why: 'over' };
  await forgiveAttempt(tx, counted.counters);
  // Alone, neither of two who know one of the two could have come here.
  const issuedBy = pending.issued_by ?? checked.issued_by;
  return await arrive(tx, user, [{ with: 'password' }, { with: 'totp' }], issuedBy, from);
}

/** For whoever has shown his password with this browser, or for whoever has a passkey. */
export async function passkeyQuestion(tx: Tx, rp: RelyingParty, form: string) {
  const pending = await pendingOf(tx, form);
  const binding = hashOfCookie('form', form);
  return await passkeyAssertionOptions(tx, rp, { binding, user_id: pending?.user_id });
}

/**
 * A passkey, alone or as the second factor. It proves the person by itself, so that the login
 * counts as issued by whoever could have made it, and by nobody because of the password.
 * The challenge is used up, so the transaction must commit.
 */
export async function finishPasskey(
  tx: Tx,
  rp: RelyingParty,
  { form, response }: { readonly form: string; readonly response: AuthenticationResponseJSON },
  from: Arrival,
): Promise<Step> {
  const pending = await pendingOf(tx, form);
  const binding = hashOfCookie('form', form);
  const asserted = await passkeyAssertionFinish(tx, rp, { binding, response });
  if (!asserted.ok)
    return {
      kind: 'no',
      why: `passkey_${asserted.reason}`,
      ...(pending === undefined ? {} : { user: pending.user }),
    };
  await lockShared(tx.sql, [asserted.user_id]);
  const user = await findUser(tx.sql, asserted.user_id);
  if (!isWelcome(user))
    return { kind: 'no', why: 'not_active', ...(user === undefined ? {} : { user }) };
  const proofs: Proof[] = [{ with: 'passkey', synced: asserted.synced }];
  if (pending?.user_id === user.id) {
    await takePending(tx.sql, pending.hash);
    proofs.unshift({ with: 'password' });
  }
  return await arrive(tx, user, proofs, asserted.issued_by, from);
}
