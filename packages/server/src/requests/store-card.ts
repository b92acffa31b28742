import type { Instant } from '@postern/shared';
import type { ExpressionBuilder, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DecisionRow, RequestRow } from './store.ts';

type Sql = Kysely<Database>;

/** Other requests of the same person for the same server or groups, newest first. */
export const requestsLike = (db: Sql, row: RequestRow, limit: number): Promise<RequestRow[]> =>
  db
    .selectFrom('access_requests')
    .selectAll()
    .where('requester_id', '=', row.requester_id)
    .where(samePlace(row))
    .where('id', '<>', row.id)
    .orderBy('id', 'desc')
    .limit(limit)
    .execute();

const samePlace = (row: RequestRow) => (e: ExpressionBuilder<Database, 'access_requests'>) =>
  row.group_ids === null ? e('server_id', '=', row.server_id) : e('group_ids', '=', row.group_ids);

/** Other requests of the same person for exactly this account or these groups, whatever type they went through. */
const sameAccess = (db: Sql, row: RequestRow) =>
  db
    .selectFrom('access_requests')
    .selectAll()
    .where('id', '<>', row.id)
    .where('requester_id', '=', row.requester_id)
    .where(samePlace(row))
    .where('identity', 'is not distinct from', row.identity)
    .where('credential_type', 'is not distinct from', row.credential_type);

/** The last one that was denied, if that was after `since`. */
export const deniedSince = (
  db: Sql,
  row: RequestRow,
  since: Instant,
): Promise<RequestRow | undefined> =>
  sameAccess(db, row)
    .where('state', '=', 'denied')
    .where('resolved_at', '>', since)
    .orderBy('resolved_at', 'desc')
    .limit(1)
    .executeTakeFirst();

/** The approved one that lasts longest. */
export const approvedUntil = (
  db: Sql,
  row: RequestRow,
  now: Instant,
): Promise<RequestRow | undefined> =>
  sameAccess(db, row)
    .where('privilege', 'is not distinct from', row.privilege)
    .where('admin_level', '=', row.admin_level ?? false)
    .where('binding', 'is not distinct from', row.binding)
    .where('state', 'in', ['approved', 'active'])
    .where('ends_at', '>', now)
    .orderBy('ends_at', 'desc')
    .limit(1)
    .executeTakeFirst();

/** The decisions on these requests, oldest first. */
export const decisionsOn = async (db: Sql, ids: readonly string[]): Promise<DecisionRow[]> =>
  ids.length === 0
    ? []
    : db
        .selectFrom('access_request_decisions')
        .selectAll()
        .where('request_id', 'in', ids)
        .orderBy('decided_at')
        .orderBy('id')
        .execute();

export const accountOf = (db: Sql, id: string) =>
  db.selectFrom('accounts').select('credential').where('id', '=', id).executeTakeFirst();

/** Each change of state, in order. */
export const historyOf = (db: Sql, requestId: string) =>
  db
    .selectFrom('access_request_history')
    .selectAll()
    .where('request_id', '=', requestId)
    .orderBy('seq')
    .execute();

/** Names by id; of nobody that is not there. */
export async function namesOf(
  db: Sql,
  ids: readonly (string | null)[],
): Promise<ReadonlyMap<string, string>> {
  const wanted = [...new Set(ids)].filter((id) => id !== null);
  if (wanted.length === 0) return new Map();
  const rows = await db
    .selectFrom('users')
    .select(['id', 'name'])
    .where('id', 'in', wanted)
    .execute();
  return new Map(rows.map((row) => [row.id, row.name]));
}
