import { type Operation, PROBLEMS, type Relation } from '@postern/shared';
import { Refusal } from '../platform/errors.ts';
import { lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { type Caller, relationsFor } from './caller.ts';
import { findToken, findUser, rolesOf, type TokenRow } from './store.ts';
import { isNobodys } from './store-tokens.ts';
import { matchesToken, parseToken } from './token.ts';

const LOGIN_AGAIN = 'Log in again: sft login --token-file FILE';

const unauthenticated = (): Refusal =>
  new Refusal('unauthenticated', `${PROBLEMS.unauthenticated.title}, or the token is not valid.`, {
    next: LOGIN_AGAIN,
  });

/**
 * Who the bearer token stands for, read in this transaction under the user's revision
 * lock: what disables him, ends his token or takes his role waits, or has happened.
 * One answer for every fault of a token, so that nothing can be learned from it.
 *
 * @throws Refusal `unauthenticated`
 */
export async function authenticate(tx: Tx, bearer: string | undefined): Promise<Caller> {
  const { id, user_id } = await presentedToken(tx, bearer);
  await lockShared(tx.sql, [user_id]);
  const token = await findToken(tx.sql, id);
  if (token === undefined) throw unauthenticated();
  return await callerWith(tx, token);
}

/**
 * As {@link authenticate} without the lock, which is a write and waits for the disk: only
 * for answers that a second ago were as good.
 */
export const recognize = async (tx: Tx, bearer: string | undefined): Promise<Caller> =>
  callerWith(tx, await presentedToken(tx, bearer));

async function presentedToken(tx: Tx, bearer: string | undefined): Promise<TokenRow> {
  const presented = parseToken(bearer ?? '');
  if (!presented.ok) throw unauthenticated();
  const found = await findToken(tx.sql, presented.id);
  if (found === undefined || !matchesToken(presented, found.hash)) throw unauthenticated();
  return found;
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
    token_issued_by: await personBehind(tx, token.issued_by),
    token_expires_at: token.expires_at,
  };
}

/**
 * The relations in which this caller may use the operation.
 * @throws Refusal `not_permitted` when there is none
 */
export function permit(operation: Operation, caller: Caller): ReadonlySet<Relation> {
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
