import type { Instant } from '@postern/shared';
import { type Insertable, type Kysely, type Selectable, sql, type Updateable } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';

export type RequestRow = Selectable<DomainTables['access_requests']>;
export type DecisionRow = Selectable<DomainTables['access_request_decisions']>;
export type ApprovalRow = Selectable<DomainTables['approvals']>;
type Sql = Kysely<Database>;

export const findRequest = (db: Sql, id: string): Promise<RequestRow | undefined> =>
  db.selectFrom('access_requests').selectAll().where('id', '=', id).executeTakeFirst();

/** The request's row, held until the transaction ends: exactly one change of it at a time. */
export const lockRequest = (db: Sql, id: string): Promise<RequestRow | undefined> =>
  db.selectFrom('access_requests').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();

export const decisionsOf = (db: Sql, requestId: string): Promise<DecisionRow[]> =>
  db
    .selectFrom('access_request_decisions')
    .selectAll()
    .where('request_id', '=', requestId)
    .orderBy('decided_at')
    .orderBy('id')
    .execute();

export const approvalOf = (db: Sql, requestId: string): Promise<ApprovalRow | undefined> =>
  db.selectFrom('approvals').selectAll().where('request_id', '=', requestId).executeTakeFirst();

export const commentsOf = (db: Sql, requestId: string) =>
  db
    .selectFrom('access_request_comments as c')
    .innerJoin('users as u', 'u.id', 'c.by_user_id')
    .select(['c.id', 'c.text', 'c.created_at', 'u.id as user_id', 'u.name'])
    .where('c.request_id', '=', requestId)
    .orderBy('c.created_at')
    .orderBy('c.id')
    .execute();

/** The requester's pending request for exactly this target and type. */
export const findPending = (
  db: Sql,
  tuple: {
    requester_id: string;
    server_id: string;
    identity: string;
    credential_type: string;
    privilege: string;
    admin_level: boolean;
    request_type_id: string;
    binding: string | null;
  },
): Promise<{ id: string } | undefined> =>
  tupleQuery(db, tuple).where('state', '=', 'pending').executeTakeFirst();

/** When the same target and type was last denied. */
export const lastDenied = (
  db: Sql,
  tuple: Parameters<typeof findPending>[1],
): Promise<{ id: string; resolved_at: Instant | null } | undefined> =>
  tupleQuery(db, tuple)
    .select('resolved_at')
    .where('state', '=', 'denied')
    .orderBy('resolved_at', 'desc')
    .executeTakeFirst();

function tupleQuery(db: Sql, tuple: Parameters<typeof findPending>[1]) {
  return db
    .selectFrom('access_requests')
    .select('id')
    .where('requester_id', '=', tuple.requester_id)
    .where('server_id', '=', tuple.server_id)
    .where('identity', '=', tuple.identity)
    .where('credential_type', '=', tuple.credential_type as 'vaulted_account')
    .where('privilege', '=', tuple.privilege)
    .where('admin_level', '=', tuple.admin_level)
    .where('binding', tuple.binding === null ? 'is' : '=', tuple.binding)
    .where('request_type_id', '=', tuple.request_type_id);
}

interface GroupsTuple {
  readonly requester_id: string;
  readonly request_type_id: string;
  readonly group_ids: string;
}

const forGroups = (db: Sql, tuple: GroupsTuple) =>
  db
    .selectFrom('access_requests')
    .select(['id', 'resolved_at'])
    .where('requester_id', '=', tuple.requester_id)
    .where('request_type_id', '=', tuple.request_type_id)
    .where('group_ids', '=', tuple.group_ids);

/** The requester's pending request for exactly these groups by this type. */
export const findPendingForGroups = (
  db: Sql,
  tuple: GroupsTuple,
): Promise<{ id: string } | undefined> =>
  forGroups(db, tuple).where('state', '=', 'pending').executeTakeFirst();

export const lastDeniedForGroups = (
  db: Sql,
  tuple: GroupsTuple,
): Promise<{ id: string; resolved_at: Instant | null } | undefined> =>
  forGroups(db, tuple)
    .where('state', '=', 'denied')
    .orderBy('resolved_at', 'desc')
    .executeTakeFirst();

export async function countPending(db: Sql, requesterId: string): Promise<number> {
  const row = await db
    .selectFrom('access_requests')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('requester_id', '=', requesterId)
    .where('state', '=', 'pending')
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

/** One raise per person at a time, so that the limit of pending requests holds. */
export const lockRaising = (db: Sql, requesterId: string): Promise<unknown> =>
  sql`select pg_advisory_xact_lock(hashtextextended(${`raise ${requesterId}`}, 0))`.execute(db);

export type RequestUpdate = Updateable<DomainTables['access_requests']>;

export const updateRequest = (db: Sql, id: string, fields: RequestUpdate): Promise<RequestRow> =>
  db
    .updateTable('access_requests')
    .set(fields)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

export type NewRequestRow = Insertable<DomainTables['access_requests']>;

export const insertRequest = (db: Sql, row: NewRequestRow): Promise<RequestRow> =>
  db.insertInto('access_requests').values(row).returningAll().executeTakeFirstOrThrow();

export const insertDecision = (
  db: Sql,
  row: Insertable<DomainTables['access_request_decisions']>,
): Promise<unknown> => db.insertInto('access_request_decisions').values(row).execute();

export const insertApproval = (
  db: Sql,
  row: Insertable<DomainTables['approvals']>,
): Promise<unknown> => db.insertInto('approvals').values(row).execute();

/** Ends the request's approval, revoked or not; FOR UPDATE against an opening that reads it. */
export const endApproval = (
  db: Sql,
  requestId: string,
  how: { revoked_at: Instant } | { ended_at: Instant },
): Promise<unknown> =>
  db.updateTable('approvals').set(how).where('request_id', '=', requestId).execute();

export const insertComment = (
  db: Sql,
  row: Insertable<DomainTables['access_request_comments']>,
): Promise<unknown> => db.insertInto('access_request_comments').values(row).execute();

/** Writes the change of state and counts the request up; both or neither. */
export async function recordTransition(
  db: Sql,
  row: Pick<RequestRow, 'id' | 'seq'>,
  change: { from: string; to: string; at: Instant; actor_id: string | null },
): Promise<number> {
  const seq = row.seq + 1;
  await db
    .insertInto('access_request_history')
    .values({
      request_id: row.id,
      seq,
      from_state: change.from,
      to_state: change.to,
      at: change.at,
      actor_id: change.actor_id,
    })
    .execute();
  return seq;
}

export const voidDecisions = (db: Sql, ids: readonly string[], at: Instant): Promise<unknown> =>
  ids.length === 0
    ? Promise.resolve()
    : db
        .updateTable('access_request_decisions')
        .set({ voided_at: at })
        .where('id', 'in', ids)
        .execute();

export interface ListFilter {
  readonly requester_id?: string;
  readonly ids?: readonly string[];
  readonly state?: string;
  readonly before?: string;
  readonly limit: number;
}

/** Newest first (ids are in order of creation); one more than `limit` says that there is a next page. */
export function listRequests(db: Sql, filter: ListFilter): Promise<RequestRow[]> {
  let query = db.selectFrom('access_requests').selectAll();
  if (filter.requester_id !== undefined)
    query = query.where('requester_id', '=', filter.requester_id);
  if (filter.ids !== undefined)
    query = query.where('id', 'in', filter.ids.length === 0 ? [NOBODY] : filter.ids);
  if (filter.state !== undefined) query = query.where('state', '=', filter.state);
  if (filter.before !== undefined) query = query.where('id', '<', filter.before);
  return query
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
    .execute();
}

const NOBODY = '00000000-0000-0000-0000-000000000000';

export const pendingRequests = (db: Sql): Promise<RequestRow[]> =>
  db.selectFrom('access_requests').selectAll().where('state', '=', 'pending').execute();

/** Requests that a time-out or a reminder may have reached, and approvals whose longest period is over. */
export const dueRequests = (db: Sql, now: Instant): Promise<{ id: string; state: string }[]> =>
  db
    .selectFrom('access_requests')
    .select(['id', 'state'])
    .where((e) =>
      e.or([
        e.and([e('state', '=', 'pending'), e('step_expires_at', '<=', now)]),
        e.and([e('state', '=', 'pending'), e('remind_at', '<=', now)]),
        e.and([e('state', 'in', ['approved', 'active']), e('ends_at', '<=', now)]),
      ]),
    )
    .limit(500)
    .execute();

export const openRequestsOf = (
  db: Sql,
  where: { requester_id?: string; server_id?: string; account_id?: string },
): Promise<{ id: string; state: string }[]> => {
  let query = db
    .selectFrom('access_requests')
    .select(['id', 'state'])
    .where('state', 'in', ['pending', 'approved', 'active']);
  if (where.requester_id !== undefined)
    query = query.where('requester_id', '=', where.requester_id);
  if (where.server_id !== undefined) query = query.where('server_id', '=', where.server_id);
  if (where.account_id !== undefined) query = query.where('account_id', '=', where.account_id);
  return query.orderBy('id').execute();
};
