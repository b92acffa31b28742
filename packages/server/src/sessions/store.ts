import type { Instant } from '@postern/shared';
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';

type Sql = Kysely<Database>;
type Sessions = DomainTables['sessions'];
export type SessionRow = Selectable<Sessions>;

/** @returns undefined when the key has served a session, one that is being opened now included. */
export const insertSession = (
  db: Sql,
  row: Insertable<Sessions>,
): Promise<SessionRow | undefined> =>
  db
    .insertInto('sessions')
    .values(row)
    .onConflict((c) => c.column('public_key').doNothing())
    .returningAll()
    .executeTakeFirst();

export const keyWasUsed = async (db: Sql, publicKey: string): Promise<boolean> =>
  (await db
    .selectFrom('sessions')
    .select('id')
    .where('public_key', '=', publicKey)
    .executeTakeFirst()) !== undefined;

export const findSession = (db: Sql, id: string): Promise<SessionRow | undefined> =>
  db.selectFrom('sessions').selectAll().where('id', '=', id).executeTakeFirst();

export const lockSession = (db: Sql, id: string): Promise<SessionRow | undefined> =>
  db.selectFrom('sessions').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();

/** Changes the session only if it is in that state; undefined when it is not. */
export const moveSession = (
  db: Sql,
  id: string,
  from: readonly SessionRow['state'][],
  fields: Updateable<Sessions>,
): Promise<SessionRow | undefined> =>
  db
    .updateTable('sessions')
    .set(fields)
    .where('id', '=', id)
    .where('state', 'in', from)
    .returningAll()
    .executeTakeFirst();

export interface SessionFilter {
  readonly user_id?: string;
  readonly server_id?: string;
  readonly account_id?: string;
  readonly request_id?: string;
  readonly gateway_id?: string;
  readonly id?: string;
}

/** Sessions that are opening or live, in id order. */
export function openSessions(db: Sql, filter: SessionFilter): Promise<SessionRow[]> {
  let query = db.selectFrom('sessions').selectAll().where('state', 'in', ['opening', 'live']);
  for (const key of [
    'id',
    'user_id',
    'server_id',
    'account_id',
    'request_id',
    'gateway_id',
  ] as const) {
    const value = filter[key];
    if (value !== undefined) query = query.where(key, '=', value);
  }
  return query.orderBy('id').execute();
}

export interface ListFilter {
  readonly user_id?: string;
  readonly request_id?: string;
  readonly state?: string;
  readonly before?: string;
  readonly limit: number;
}

export function listSessionRows(db: Sql, filter: ListFilter): Promise<SessionRow[]> {
  let query = db.selectFrom('sessions').selectAll();
  if (filter.user_id !== undefined) query = query.where('user_id', '=', filter.user_id);
  if (filter.request_id !== undefined) query = query.where('request_id', '=', filter.request_id);
  if (filter.state !== undefined)
    query = query.where('state', '=', filter.state as SessionRow['state']);
  if (filter.before !== undefined) query = query.where('id', '<', filter.before);
  return query
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
    .execute();
}

/** Opening sessions whose minute is over, live ones whose end has come. */
export const overdueSessions = (db: Sql, now: Instant): Promise<SessionRow[]> =>
  db
    .selectFrom('sessions')
    .selectAll()
    .where((e) =>
      e.or([
        e.and([e('state', '=', 'opening'), e('admit_before', '<=', now)]),
        e.and([e('state', '=', 'live'), e('expires_at', '<=', now)]),
      ]),
    )
    .orderBy('id')
    .execute();

/** Live sessions that end soon. */
export const endingSessions = (db: Sql, before: Instant): Promise<SessionRow[]> =>
  db
    .selectFrom('sessions')
    .selectAll()
    .where('state', '=', 'live')
    .where('expires_at', '<=', before)
    .orderBy('id')
    .execute();

export const markWarned = (
  db: Sql,
  id: string,
  warned: { warned_until: Instant; warned_seconds: number },
): Promise<unknown> => db.updateTable('sessions').set(warned).where('id', '=', id).execute();

/** Live sessions of gateways that have not renewed since. */
export const orphanedSessions = (db: Sql, since: Instant): Promise<SessionRow[]> =>
  db
    .selectFrom('sessions as s')
    .innerJoin('gateways as g', 'g.id', 's.gateway_id')
    .selectAll('s')
    .where('s.state', '=', 'live')
    .where('s.admitted_at', '<', since)
    .where((e) => e.or([e('g.last_lease_at', 'is', null), e('g.last_lease_at', '<', since)]))
    .orderBy('s.id')
    .execute();

export const insertNonce = (
  db: Sql,
  row: { nonce: string; user_id: string; expires_at: Instant },
): Promise<unknown> => db.insertInto('session_nonces').values(row).execute();

/** Uses the nonce up. @returns whether it was this user's, and in time. */
export async function takeNonce(
  db: Sql,
  nonce: string,
  userId: string,
  now: Instant,
): Promise<boolean> {
  const row = await db
    .deleteFrom('session_nonces')
    .where('nonce', '=', nonce)
    .where('user_id', '=', userId)
    .returning('expires_at')
    .executeTakeFirst();
  return row !== undefined && row.expires_at > now;
}

export const forgetNonces = (db: Sql, now: Instant): Promise<unknown> =>
  db.deleteFrom('session_nonces').where('expires_at', '<=', now).execute();

/** A gateway that can take a session: active, and heard of within the lease. */
export const liveGateway = (db: Sql, since: Instant) =>
  db
    .selectFrom('gateways')
    .select(['id', 'host', 'port', 'host_keys'])
    .where('state', '=', 'ACTIVE')
    .where('last_lease_at', '>', since)
    .orderBy('last_lease_at', 'desc')
    .executeTakeFirst();

export const targetOf = (db: Sql, serverId: string) =>
  db
    .selectFrom('servers')
    .select([
      'hostname',
      'access_address',
      'access_port',
      'host_keys',
      'allow_local_address',
      'identity_revision',
    ])
    .where('id', '=', serverId)
    .executeTakeFirst();

export const namesOf = async (
  db: Sql,
  rows: readonly SessionRow[],
): Promise<(row: SessionRow) => { user: string; server: string }> => {
  if (rows.length === 0) return () => ({ user: '', server: '' });
  const users = await db
    .selectFrom('users')
    .select(['id', 'name'])
    .where('id', 'in', [...new Set(rows.map((r) => r.user_id))])
    .execute();
  const servers = await db
    .selectFrom('servers')
    .select(['id', 'hostname'])
    .where('id', 'in', [...new Set(rows.map((r) => r.server_id))])
    .execute();
  return (row) => ({
    user: users.find((u) => u.id === row.user_id)?.name ?? row.user_id,
    server: servers.find((s) => s.id === row.server_id)?.hostname ?? row.server_id,
  });
};

/** Whether the token that opened the session still stands. */
export const tokenStands = async (db: Sql, id: string, now: Instant): Promise<boolean> => {
  const row = await db
    .selectFrom('tokens')
    .select(['revoked_at', 'expires_at'])
    .where('id', '=', id)
    .executeTakeFirst();
  return row !== undefined && row.revoked_at === null && row.expires_at > now;
};

/** The job whose login opened the session; null: it was no job's. */
export const bindingOf = async (
  db: Sql,
  { token_id }: Pick<SessionRow, 'token_id'>,
): Promise<string | null> => {
  if (token_id === null) return null;
  const row = await db
    .selectFrom('tokens')
    .select('binding')
    .where('id', '=', token_id)
    .executeTakeFirst();
  return row?.binding ?? null;
};

/** Whether the token was taken back; that it has run out ends no session. */
export const tokenWasRevoked = async (db: Sql, id: string): Promise<boolean> => {
  const row = await db
    .selectFrom('tokens')
    .select('revoked_at')
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined || row.revoked_at !== null;
};

/** FOR SHARE: a revocation, which updates the row, waits or has happened. */
export const lockApproval = (db: Sql, requestId: string) =>
  db
    .selectFrom('approvals')
    .select(['id', 'revoked_at', 'ended_at'])
    .where('request_id', '=', requestId)
    .forShare()
    .executeTakeFirst();

/** Whether nothing rests on it any more; also when there is none. */
export const hasEnded = (
  approval: { revoked_at: Instant | null; ended_at: Instant | null } | undefined,
): boolean => approval === undefined || approval.revoked_at !== null || approval.ended_at !== null;
