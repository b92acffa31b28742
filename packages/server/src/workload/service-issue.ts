import { createHash } from 'node:crypto';
import { plus, type ServiceToken, toRfc3339 } from '@postern/shared';
import { findUser } from '../directory/index.ts';
import { addToken, eventFrom, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { lockShared } from '../platform/locks.ts';
import type { Tx } from '../platform/tx.ts';
import { readClaims } from './claims.ts';
import { bindingOf } from './job.ts';
import { matchRules } from './match.ts';
import { type Claims, type Connection, LOGIN_LASTS, NotBelieved, TOLERANCE } from './model.ts';
import { peopleBehind } from './service-jobs.ts';
import {
  findConnection,
  findConnectionByName,
  insertLogin,
  lockConnection,
  toConnection,
  useOnce,
} from './store.ts';

/** A connection, and which state of it was read. */
export interface Seen {
  readonly connection: Connection;
  readonly updated_at: number;
}

/** @throws NotBelieved */
export async function connectionNamed(tx: Tx, name: string): Promise<Seen> {
  const found = await findConnectionByName(tx.sql, name);
  if (found === undefined) throw new NotBelieved('no_connection');
  return { connection: toConnection(found), updated_at: found.updated_at };
}

/**
 * Logs a job in. The signature, issuer, audience and times of `claims` were verified against
 * the connection as it was `seen`; everything else is decided here, under its lock.
 *
 * @throws NotBelieved
 */
export async function issueWorkloadToken(
  tx: Tx,
  { connection, updated_at }: Seen,
  claims: Claims,
  clientAddress: string,
): Promise<ServiceToken> {
  await lockConnection(tx.sql, connection.id, 'share');
  const now = await findConnection(tx.sql, connection.id);
  if (now === undefined || now.updated_at !== updated_at)
    throw new NotBelieved('connection_changed');
  const read = readClaims(connection, claims, tx.now);
  if (!read.ok) throw new NotBelieved(read.reason);
  const matched = matchRules(connection, claims);
  if (!matched.ok) throw new NotBelieved(matched.reason);
  const { service_user } = matched;
  await lockShared(tx.sql, [service_user.id]);
  const user = await findUser(tx.sql, service_user.id);
  if (user?.type !== 'service' || user.status !== 'ACTIVE')
    throw new NotBelieved('service_user_inactive');
  if (!(await useOnce(tx.sql, used(connection.id, read.jti, plus(read.until, TOLERANCE)), tx.now)))
    throw new NotBelieved('replayed');
  const behind = await peopleBehind(tx, read.job, tx.now);
  const job = { ...read.job, people: behind.people };
  const made = await addToken(tx, {
    user_id: user.id,
    name: `job of ${connection.name}`,
    issued_by: null,
    kind: 'workload',
    binding: bindingOf(job),
    made_by: [...new Set([...now.made_by, ...behind.made_by])],
    expires_at: plus(tx.now, LOGIN_LASTS),
  });
  await insertLogin(tx.sql, { token_id: made.id, connection_id: connection.id, job: json(job) });
  const actor = { type: 'workload_connection', id: connection.id, name: connection.name };
  await tx.audit({
    ...eventFrom({ actor }, 'pam.workload.token.issue', [
      refTo('token', { id: made.id, name: `job of ${connection.name}` }),
      refTo('user', user),
    ]),
    client_address: clientAddress,
    details: { job, binding: bindingOf(job), expires_at: toRfc3339(made.expires_at) },
  });
  return {
    token: made.token,
    expires_at: toRfc3339(made.expires_at),
    service_user: { id: user.id, login: user.login },
  };
}

/** What is remembered of something that serves once. */
export const used = (scope: string, jti: string, expires_at: ReturnType<typeof plus>) => ({
  scope,
  jti_hash: createHash('sha256').update(jti).digest('hex'),
  expires_at,
});
