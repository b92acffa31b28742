import { type Kysely, sql as raw } from 'kysely';
import { json } from '../platform/columns.ts';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';

export interface EventFilter extends PageRequest {
  readonly type: string | undefined;
  readonly request_id: string | undefined;
  readonly session_id: string | undefined;
  /** Id or name of one of the event's targets. */
  readonly target: string | undefined;
  /** As `target`, of a group. */
  readonly group: string | undefined;
}

const events = (sql: Kysely<Database>) => sql.selectFrom('audit_events').selectAll();
export type EventRow = Awaited<ReturnType<ReturnType<typeof events>['execute']>>[number];

/** Newest first, by id. */
export function listEvents(sql: Kysely<Database>, filter: EventFilter): Promise<EventRow[]> {
  const { type, request_id, session_id, target, group, after, limit } = filter;
  let query = events(sql);
  if (type !== undefined) query = query.where('type', '=', type);
  if (request_id !== undefined) query = query.where('request_id', '=', request_id);
  if (session_id !== undefined) query = query.where('session_id', '=', session_id);
  if (target !== undefined) query = query.where(names([{ id: target }], [{ name: target }]));
  if (group !== undefined)
    query = query.where(names([{ type: 'group', id: group }], [{ type: 'group', name: group }]));
  if (after !== undefined) query = query.where('id', '<', after);
  return query
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute();
}

/** Whether one of them is among the targets. */
const names = (...targets: readonly unknown[]) =>
  raw<boolean>`(${raw.join(
    targets.map((target) => raw`targets @> ${json(target)}::jsonb`),
    raw` or `,
  )})`;
