import { type Instant, plus, type Seconds } from '@postern/shared';
import { endLogin, extendLogin, isLoginLive, presentedHash } from '../identity/index.ts';
import { SYSTEM } from '../platform/actor.ts';
import { json } from '../platform/schema.ts';
import type { Tx } from '../platform/tx.ts';
import type { Kind } from './model.ts';
import {
  addModel,
  deleteModel,
  deleteOfLogin,
  findModel,
  markConsumed,
  putModel,
  tokenOf,
} from './store.ts';
import { keep, type Payload, restore } from './stored.ts';
import { userCodeHash } from './user-code.ts';

/** What keeping a model needs beside its transaction. */
export interface Keeping {
  readonly user_code_key: Buffer;
}

/**
 * Keeps what oidc-provider has issued.
 *
 * @returns false when it must not be issued: a proof that was used before, or a token of a
 * login that has ended meanwhile
 */
export async function saveModel(
  tx: Tx,
  model: { readonly kind: Kind; readonly id: string; readonly payload: Payload },
  lives: Seconds,
  { user_code_key }: Keeping,
): Promise<boolean> {
  const { kind, id, payload } = model;
  const kept = keep(kind, id, payload);
  const issued = kind === 'AccessToken' || kind === 'RefreshToken';
  if (issued && !(kept.token_id !== null && (await isLoginLive(tx, kept.token_id)))) return false;
  const row = {
    hash: presentedHash(kind, id),
    kind,
    payload: json(kept.payload),
    user_code_hash: kept.user_code === null ? null : userCodeHash(user_code_key, kept.user_code),
    user_id: kept.user_id,
    token_id: kept.token_id,
    jkt: kept.jkt,
    created_at: tx.now,
    expires_at: plus(tx.now, lives),
  };
  if (kind === 'ReplayDetection') return await addModel(tx.sql, row);
  await putModel(tx.sql, row);
  // Its program has come for it: from now on it is a login of full length.
  if (kind === 'RefreshToken' && payload.rotations === 0 && kept.token_id !== null)
    await extendLogin(tx, kept.token_id, await endOfGrant(tx, kept.token_id));
  return true;
}

/** As it was made. A grant is kept as long as what was issued under it. */
async function endOfGrant(tx: Tx, token_id: string): Promise<Instant> {
  const grant = await findModel(tx.sql, presentedHash('Grant', token_id), tx.now);
  if (grant === undefined) throw new Error('what is issued has its grant');
  return grant.expires_at;
}

export async function loadModel(tx: Tx, kind: Kind, id: string): Promise<Payload | undefined> {
  const row = await findModel(tx.sql, presentedHash(kind, id), tx.now);
  return row === undefined ? undefined : restore(id, row, tx.now);
}

/**
 * Of all who consume a code or a refresh token, whichever replica they ask, one is first.
 * Anybody after him means that two hold it: then the whole login ends.
 *
 * @returns whether it was the first
 */
export async function consumeModel(
  tx: Tx,
  kind: Kind,
  id: string,
  client_address: string | null,
): Promise<boolean> {
  const hash = presentedHash(kind, id);
  if ((await markConsumed(tx.sql, hash, tx.now)) !== undefined) return true;
  const found = await tokenOf(tx.sql, hash);
  if (found?.token_id != null) await endGrant(tx, found.token_id, 'reused', client_address);
  return false;
}

export const removeModel = (tx: Tx, kind: Kind, id: string): Promise<unknown> =>
  deleteModel(tx.sql, presentedHash(kind, id));

/** Ends a login and drops what was issued under it. */
export async function endGrant(
  tx: Tx,
  token_id: string,
  reason: 'logout' | 'reused',
  client_address: string | null,
): Promise<void> {
  await endLogin(tx, token_id, {
    reason,
    client_address,
    // Who came with a token twice is not known to be the person it was issued to.
    ...(reason === 'reused' && { actor: SYSTEM }),
  });
  await deleteOfLogin(tx.sql, token_id);
}
