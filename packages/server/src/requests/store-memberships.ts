import type { Instant } from '@postern/shared';
import type { Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';

type Sql = Kysely<Database>;

/** Everything a request ever gave. */
export const membershipsOfRequest = (db: Sql, requestId: string) =>
  db
    .selectFrom('memberships as m')
    .innerJoin('groups as g', 'g.id', 'm.group_id')
    .select(['g.id', 'g.name', 'm.created_at', 'm.expires_at', 'm.ended_at'])
    .where('m.request_id', '=', requestId)
    .orderBy('m.id')
    .execute();

/** Requests of which something is over, or nothing is left: a timer was lost, or somebody took it away. */
export const dueMembershipRequests = (db: Sql, now: Instant): Promise<{ id: string }[]> =>
  db
    .selectFrom('access_requests as r')
    .select('r.id')
    .where('r.state', '=', 'active')
    .where((e) =>
      e.not(
        e.exists(
          e
            .selectFrom('memberships as m')
            .select('m.id')
            .whereRef('m.request_id', '=', 'r.id')
            .where('m.ended_at', 'is', null)
            .where('m.expires_at', '>', now),
        ),
      ),
    )
    .union(
      db
        .selectFrom('memberships as m')
        .innerJoin('access_requests as r', 'r.id', 'm.request_id')
        .select('r.id')
        .where('m.ended_at', 'is', null)
        .where('m.expires_at', '<=', now),
    )
    .limit(500)
    .execute();
