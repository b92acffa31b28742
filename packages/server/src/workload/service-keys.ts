import {
  type Body,
  plus,
  type Relation,
  type ServiceToken,
  type ServiceUserKey,
  seconds,
  toRfc3339,
} from '@postern/shared';
import { calculateJwkThumbprint, type JWK } from 'jose';
import {
  addToken,
  authorOf,
  type Caller,
  endTokens,
  eventBy,
  eventFrom,
  makersOf,
  refTo,
} from '../identity/index.ts';
import { refuseUnprovenLogin } from '../mfa/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { bumpRevisions, lockShared } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { plainTextFaults, refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { readKey } from './key.ts';
import { ASSERTION_LASTS, type Claims, LOGIN_LASTS, NotBelieved, TOLERANCE } from './model.ts';
import { used } from './service-issue.ts';
import { refuseJobs } from './service-jobs.ts';
import { useOnce } from './store.ts';
import {
  countKeys,
  findKey,
  findKeyByThumbprint,
  findServiceUser,
  insertKey,
  insertServiceLogin,
  type KeyRow,
  listKeys as listRows,
  liveLoginsWith,
  removeKey as removeRow,
} from './store-keys.ts';

const MAX_KEYS = 10;

const shown = (row: KeyRow): ServiceUserKey => ({
  id: row.id,
  name: row.name,
  kid: row.thumbprint,
  alg: row.alg,
  added_by: { id: row.added_by, name: row.adder_name },
  created_at: toRfc3339(row.created_at),
});

/** The service user, to whoever owns it or may see everybody; to others there is none. */
async function visibleUser(tx: Tx, caller: Caller, relations: ReadonlySet<Relation>, id: string) {
  const user = await findServiceUser(tx.sql, id);
  const owns = relations.has('owner_of') && user?.owners.includes(caller.user_id);
  if (user !== undefined && (owns || relations.has('any'))) return user;
  throw new Refusal('not_found', 'There is no such service user, or it is not yours.', {
    next: 'See who is there: sft-admin users list',
  });
}

export async function addKey(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
  { name, public_key }: Body<'addServiceUserKey'>,
): Promise<ServiceUserKey> {
  refuseJobs(caller);
  refuseFaults(plainTextFaults({ '/name': name }));
  await visibleUser(tx, caller, relations, id);
  // It logs in when the login that adds it is over.
  await refuseUnprovenLogin(tx, caller, 'Adding a key');
  const read = readKey(public_key);
  if (!read.ok) {
    refuseFaults([{ pointer: '/public_key', code: 'public_key', detail: read.reason }]);
    throw new Error('refused before');
  }
  const jwk = read.key.export({ format: 'jwk' });
  const thumbprint = await calculateJwkThumbprint(jwk as JWK);
  await bumpRevisions(tx.sql, [id]);
  const user = await visibleUser(tx, caller, relations, id);
  if ((await findKeyByThumbprint(tx.sql, thumbprint)) !== undefined)
    throw new Refusal('state_conflict', 'This key is in use already.', {
      next: 'Make another: each service user has keys of its own.',
    });
  if ((await countKeys(tx.sql, id)) >= MAX_KEYS)
    throw new Refusal('state_conflict', `${user.login} has ${MAX_KEYS} keys.`, {
      next: 'Remove one that is used no more: sft-admin service-keys remove',
    });
  const key = { id: tx.ids.uuid(), name };
  await insertKey(tx.sql, {
    ...{ ...key, user_id: id, thumbprint, jwk: json(jwk), alg: read.alg },
    ...{ added_by: caller.user_id, made_by: json(makersOf(caller)), created_at: tx.now },
  });
  await tx.audit(
    eventBy(
      caller,
      'pam.service_user.key.add',
      [refTo('service_user_key', key), refTo('user', user)],
      { kid: thumbprint, alg: read.alg },
    ),
  );
  return shown((await findKey(tx.sql, key.id))!);
}

export async function listKeys(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
  query: PageQuery,
) {
  await visibleUser(tx, caller, relations, id);
  const page = pageOf(query);
  const cut = cutPage(await listRows(tx.sql, id, page), page);
  return { ...cut, list: cut.list.map(shown) };
}

/** Ends the key, and whatever is logged in with it. */
export async function removeKey(
  tx: Tx,
  caller: Caller,
  relations: ReadonlySet<Relation>,
  id: string,
  keyId: string,
): Promise<void> {
  refuseJobs(caller);
  await bumpRevisions(tx.sql, [id]);
  const user = await visibleUser(tx, caller, relations, id);
  const key = await findKey(tx.sql, keyId);
  if (key === undefined || key.user_id !== id)
    throw new Refusal('not_found', `${user.login} has no such key.`, {
      next: `See its keys: sft-admin service-keys list ${user.login}`,
    });
  await removeRow(tx.sql, keyId, tx.now);
  await endTokens(tx, authorOf(caller), await liveLoginsWith(tx.sql, keyId));
  await tx.audit(
    eventBy(caller, 'pam.service_user.key.remove', [
      refTo('service_user_key', key),
      refTo('user', user),
    ]),
  );
}

/** The key that an assertion says it is signed with. @throws NotBelieved */
export async function keyOf(tx: Tx, kid: string | undefined): Promise<KeyRow> {
  const key = kid === undefined ? undefined : await findKeyByThumbprint(tx.sql, kid);
  if (key === undefined) throw new NotBelieved('no_key');
  return key;
}

/**
 * Logs a service user in. The assertion's signature, audience and times were verified with the
 * key; everything else is decided here, under its revision lock.
 *
 * @throws NotBelieved
 */
export async function issueServiceToken(
  tx: Tx,
  seen: KeyRow,
  claims: Claims,
  clientAddress: string,
): Promise<ServiceToken> {
  await lockShared(tx.sql, [seen.user_id, seen.added_by]);
  const key = await findKey(tx.sql, seen.id);
  if (key === undefined) throw new NotBelieved('no_key');
  const { iss, sub, aud, jti, iat, exp } = claims;
  if (iss !== sub || (sub !== key.user_id && sub !== key.login))
    throw new NotBelieved('another_subject');
  if (Array.isArray(aud) && aud.length > 1) throw new NotBelieved('several_audiences');
  if (typeof exp !== 'number' || typeof iat !== 'number') throw new NotBelieved('no_times');
  if (exp - iat > ASSERTION_LASTS || exp * 1000 - tx.now > ASSERTION_LASTS * 1000)
    throw new NotBelieved('lasts_too_long');
  if (iat * 1000 > tx.now + TOLERANCE * 1000) throw new NotBelieved('issued_in_the_future');
  if (typeof jti !== 'string' || jti === '' || jti.length > 1_000) throw new NotBelieved('no_jti');
  if (key.user_type !== 'service' || key.user_status !== 'ACTIVE')
    throw new NotBelieved('service_user_inactive');
  // He saw the key made, and may have kept it.
  if (key.adder_status !== 'ACTIVE') throw new NotBelieved('adder_inactive');
  const until = plus((exp * 1000) as typeof tx.now, seconds(TOLERANCE));
  if (!(await useOnce(tx.sql, used(key.id, jti, until), tx.now))) throw new NotBelieved('replayed');
  const name = `key ${key.name}`;
  const made = await addToken(tx, {
    ...{ user_id: key.user_id, name, kind: 'service', made_by: key.made_by },
    issued_by: key.added_by === key.user_id ? null : key.added_by,
    expires_at: plus(tx.now, LOGIN_LASTS),
  });
  await insertServiceLogin(tx.sql, { token_id: made.id, key_id: key.id });
  const user = { id: key.user_id, name: key.user_name };
  await tx.audit({
    ...eventFrom(
      { actor: { type: 'user', ...user } },
      'pam.service_user.token.issue',
      [refTo('token', { id: made.id, name }), refTo('service_user_key', key)],
      { expires_at: toRfc3339(made.expires_at) },
    ),
    client_address: clientAddress,
  });
  return {
    token: made.token,
    expires_at: toRfc3339(made.expires_at),
    service_user: { id: key.user_id, login: key.login },
  };
}
