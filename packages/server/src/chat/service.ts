import { plus, seconds } from '@postern/shared';
import { type ChatCaller, callerByChatLink, isTokenLive, refTo } from '../identity/index.ts';
import { sendLater } from '../notifications/index.ts';
import { SUCCESS, userRef } from '../platform/actor.ts';
import { lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { hashOfLinkCode } from './code.ts';
import type { ChatAccount } from './model.ts';
import type { Signed } from './signature.ts';
import {
  findCode,
  findLink,
  findLinkOf,
  forgetSignatures,
  insertLink,
  rememberSignature,
  takeCode,
} from './store.ts';

/** Longer than a signature is valid, so that a clock set back makes none fresh again. */
const REMEMBERED = seconds(86_400);

/** @returns whether it has not been served before, by any replica. */
export async function spendSignature(
  tx: Tx,
  { signature, valid_until }: Extract<Signed, { ok: true }>,
): Promise<boolean> {
  await forgetSignatures(tx.sql, tx.now);
  const expires_at = plus(valid_until, REMEMBERED);
  return rememberSignature(tx.sql, { signature, expires_at });
}

/**
 * The person who linked this account, read under his revision lock: what disables him, takes
 * a role or ends the link waits, or has happened.
 */
export async function callerIn(tx: Tx, account: ChatAccount): Promise<ChatCaller | undefined> {
  const found = await findLinkOf(tx.sql, account);
  if (found === undefined) return undefined;
  await lockShared(tx.sql, [found.user_id]);
  const link = await findLink(tx.sql, found.id);
  return link === undefined ? undefined : await callerByChatLink(tx, link);
}

export type Linked =
  | { readonly ok: true; readonly person: ChatCaller }
  | { readonly ok: false; readonly reason: 'bad_code' | 'linked_already' };

/**
 * Links the account that types a code to the person who made it. The code serves once, for
 * 10 minutes, and while the token it was made with is valid.
 */
export async function linkAccount(tx: Tx, account: ChatAccount, code: string): Promise<Linked> {
  const hash = hashOfLinkCode(code);
  const found = hash === undefined ? undefined : await findCode(tx.sql, hash);
  if (found === undefined) return { ok: false, reason: 'bad_code' };
  await lockShared(tx.sql, [found.user_id]);
  const taken = await takeCode(tx.sql, found.hash);
  if (taken === undefined || taken.expires_at <= tx.now) return { ok: false, reason: 'bad_code' };
  const { user_id, issued_by } = taken;
  const id = tx.ids.uuid();
  const person = await callerByChatLink(tx, { id, user_id, issued_by });
  if (person === undefined || !(await isTokenLive(tx, taken.token_id)))
    return { ok: false, reason: 'bad_code' };
  if (!(await insertLink(tx.sql, { id, user_id, ...account, issued_by, created_at: tx.now })))
    return { ok: false, reason: 'linked_already' };
  await tx.audit({
    type: 'pam.chat_link.create',
    actor: userRef(person),
    targets: [
      refTo('chat_link', { id, name: account.chat_user_id }),
      refTo('user', { id: user_id, name: person.name }),
    ],
    outcome: SUCCESS,
    details: { ...account, ...(issued_by === null ? {} : { token_issued_by: issued_by }) },
  });
  const body = { chat_user: account.chat_user_id };
  await sendLater(tx, [{ to: user_id, kind: 'chat_linked', request_id: null, body }]);
  return { ok: true, person };
}
