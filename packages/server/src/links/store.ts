import type { Instant } from '@postern/shared';
import type { Insertable, Kysely } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';
import type { Link } from './standing.ts';

type Sql = Kysely<Database>;

export const insertLink = (
  db: Sql,
  row: Insertable<DomainTables['decision_links']>,
): Promise<unknown> => db.insertInto('decision_links').values(row).execute();

/** The step that waits for a decision, and until when. */
export const findPendingStep = (
  db: Sql,
  request_id: string,
): Promise<{ current_step: number; step_expires_at: Instant | null } | undefined> =>
  db
    .selectFrom('access_requests')
    .select(['current_step', 'step_expires_at'])
    .where('id', '=', request_id)
    .where('state', '=', 'pending')
    .executeTakeFirst();

/** One look-up by hash, whatever it finds: expired, used and unknown are the same. */
export const findLiveLink = (db: Sql, hash: string, now: Instant): Promise<Link | undefined> =>
  db
    .selectFrom('decision_links as l')
    .innerJoin('users as u', 'u.id', 'l.user_id')
    .innerJoin('access_requests as r', 'r.id', 'l.request_id')
    .select([
      'l.id',
      'l.request_id',
      'l.step',
      'l.user_id',
      'u.name as user_name',
      'u.login as user_login',
      'u.status as user_status',
      'r.requester_id',
      'r.state as request_state',
      'r.current_step',
    ])
    .where('l.hash', '=', hash)
    .where('l.used_at', 'is', null)
    .where('l.expires_at', '>', now)
    .executeTakeFirst();

/** Uses up every link of this person to this step. @returns those that were not used before. */
export async function useLinks(
  db: Sql,
  { request_id, user_id, step }: Pick<Link, 'request_id' | 'user_id' | 'step'>,
  now: Instant,
): Promise<string[]> {
  const rows = await db
    .updateTable('decision_links')
    .set({ used_at: now })
    .where('request_id', '=', request_id)
    .where('user_id', '=', user_id)
    .where('step', '=', step)
    .where('used_at', 'is', null)
    .returning('id')
    .execute();
  return rows.map(({ id }) => id);
}

/** Keeps the newest links of this person to this request. What somebody else removes is his. */
export const dropSurplus = (
  db: Sql,
  request_id: string,
  user_id: string,
  keep: number,
): Promise<unknown> =>
  db
    .deleteFrom('decision_links')
    .where('id', 'in', (e) =>
      e
        .selectFrom('decision_links')
        .select('id')
        .where('request_id', '=', request_id)
        .where('user_id', '=', user_id)
        .orderBy('id', 'desc')
        .offset(keep)
        .forUpdate()
        .skipLocked(),
    )
    .execute();

/** Removes some of the links, anybody's, that open nothing any more. */
export const dropExpired = (db: Sql, now: Instant, most: number): Promise<unknown> =>
  db
    .deleteFrom('decision_links')
    .where('id', 'in', (e) =>
      e
        .selectFrom('decision_links')
        .select('id')
        .where('expires_at', '<=', now)
        .orderBy('expires_at')
        .limit(most)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
