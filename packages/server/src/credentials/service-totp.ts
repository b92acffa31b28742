import { eventFrom, refTo } from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { userRef } from '../platform/actor.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import type { Tx } from '../platform/tx.ts';
import { type Keyring, open, Secret, seal } from '../vault/index.ts';
import { totpSealedFor } from './seal.ts';
import { teamOf } from './service-passwords.ts';
import { confirmTotpRow, dropTotp, findTotp, findUser, putTotp, takeStep } from './store.ts';
import { enrolmentOf, readCode, stepOf, TOTP_SECRET_BYTES } from './totp.ts';

export interface TotpEnrolment {
  /** Base32, for typing it in. */
  readonly secret: string;
  /** `otpauth://totp/…` */
  readonly uri: string;
}

/** Whose authenticator app is added, and in which login of his in a browser. */
export interface Adding {
  readonly user_id: string;
  readonly session_id: string;
}

/**
 * A new secret for the person's authenticator. It serves once {@link confirmTotp} has seen a
 * code of it. The caller has bumped the user's revision and has seen a fresh proof.
 *
 * @param by.issued_by who stands behind the login it is done with, if not the person
 */
export async function enrolTotp(
  tx: Tx,
  keyring: Keyring,
  { user_id, session_id, issued_by }: Adding & { readonly issued_by: string | null },
): Promise<TotpEnrolment> {
  if ((await findTotp(tx.sql, user_id))?.confirmed_at != null) throw alreadyThere();
  const user = await findUser(tx.sql, user_id);
  if (user === undefined) throw new Error('whoever enrols is a user');
  const team = await teamOf(tx);
  const id = tx.ids.uuid();
  const bytes = tx.ids.random(TOTP_SECRET_BYTES);
  using secret = Secret.of(bytes);
  const sealed = seal(keyring, totpSealedFor(team.id, { user_id, id }), secret, tx.ids.random);
  await putTotp(tx.sql, {
    user_id,
    id,
    sealed: json(sealed),
    issued_by,
    confirmed_at: null,
    begun_with: session_id,
    last_step: null,
    created_at: tx.now,
  });
  const enrolment = enrolmentOf(bytes, { team: team.name, login: user.login });
  bytes.fill(0);
  return enrolment;
}

/**
 * As {@link enrolTotp}, for one that waits to be confirmed: the same secret once more, in the login
 * that it was begun with. In another, somebody would take a secret that a thief has chosen, or
 * show him his own.
 */
export async function pendingTotp(
  tx: Tx,
  keyring: Keyring,
  { user_id, session_id }: Adding,
): Promise<TotpEnrolment | undefined> {
  const row = await findTotp(tx.sql, user_id);
  const user = await findUser(tx.sql, user_id);
  if (row === undefined || row.confirmed_at !== null || user === undefined) return undefined;
  if (row.begun_with !== session_id) return undefined;
  const team = await teamOf(tx);
  const opened = open(keyring, totpSealedFor(team.id, row), row.sealed);
  if (!opened.ok) return undefined;
  using secret = opened.secret;
  return enrolmentOf(secret.expose(), { team: team.name, login: user.login });
}

/**
 * In the login that it was begun with.
 * @returns whether the code was right; then it serves from now on. The revision is bumped.
 */
export async function confirmTotp(
  tx: Tx,
  keyring: Keyring,
  user: Adding & { readonly name: string },
  code: string,
): Promise<boolean> {
  const row = await findTotp(tx.sql, user.user_id);
  if (row?.confirmed_at != null) throw alreadyThere();
  if (row?.begun_with !== user.session_id)
    throw new Refusal('state_conflict', 'No authenticator app is being added.', {
      next: 'Begin again.',
    });
  if (!(await takeCode(tx, keyring, row, code))) return false;
  await confirmTotpRow(tx.sql, user.user_id, tx.now);
  await tx.audit(factorEvent(user, 'user.mfa.factor.activate', 'totp'));
  await tellAdded(tx, user, 'authenticator app');
  return true;
}

export type TotpCheck =
  /** `issued_by`: who could have known the secret, besides the person. */
  { readonly ok: true; readonly issued_by: string | null } | { readonly ok: false };

/**
 * Whether this is a code of the person's authenticator, from now or one step of 30 s away. A
 * time step serves once, and none before one that served (RFC 6238, 5.2): also of two attempts
 * at once, on two replicas, or after a restart. What it took stays taken only if this commits.
 */
export async function checkTotp(
  tx: Tx,
  keyring: Keyring,
  userId: string,
  code: string,
): Promise<TotpCheck> {
  const row = await findTotp(tx.sql, userId);
  if (row === undefined || row.confirmed_at === null) return { ok: false };
  if (!(await takeCode(tx, keyring, row, code))) return { ok: false };
  return { ok: true, issued_by: row.issued_by };
}

async function takeCode(
  tx: Tx,
  keyring: Keyring,
  row: { readonly user_id: string; readonly id: string; readonly sealed: unknown },
  text: string,
): Promise<boolean> {
  const code = readCode(text);
  if (code === undefined) return false;
  const team = await teamOf(tx);
  const opened = open(keyring, totpSealedFor(team.id, row), row.sealed);
  if (!opened.ok) return false;
  using secret = opened.secret;
  const step = stepOf(secret.expose(), code, tx.now);
  return step !== undefined && (await takeStep(tx.sql, row, step));
}

/** The revision is bumped, and a fresh proof was seen. */
export async function removeTotp(
  tx: Tx,
  user: { readonly user_id: string; readonly name: string },
): Promise<void> {
  if (await dropTotp(tx.sql, user.user_id))
    await tx.audit(factorEvent(user, 'user.mfa.factor.deactivate', 'totp'));
}

/** The event of what a person does with a second factor of his own. */
export const factorEvent = (
  user: { readonly user_id: string; readonly name: string },
  type: 'user.mfa.factor.activate' | 'user.mfa.factor.deactivate',
  factor: 'totp' | 'passkey',
  details: Readonly<Record<string, unknown>> = {},
) =>
  eventFrom(
    { actor: userRef(user) },
    type,
    [refTo('user', { id: user.user_id, name: user.name })],
    {
      factor,
      ...details,
    },
  );

/** Whoever added it may have been somebody else, with a password that he stole. */
export const tellAdded = (
  tx: Tx,
  { user_id }: { readonly user_id: string },
  factor: 'authenticator app' | 'passkey',
): Promise<void> =>
  sendLater(tx, [{ to: user_id, kind: 'factor_added', request_id: null, body: { factor } }]);

const alreadyThere = (): Refusal =>
  new Refusal('state_conflict', 'You have an authenticator app.', {
    next: 'Remove it first, then add the other one.',
  });
