import type { GroupSource, Instant } from '@postern/shared';
import { type Insertable, type Kysely, sql as raw } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';
import type { PrivilegedUse, RequestDemand, UndirectedSource } from './privileged.ts';

type Sql = Kysely<Database>;

interface UndirectedRow {
  readonly group_id: string;
  readonly source: UndirectedSource;
  /** Of the version that the request ran; null for the other sources. */
  readonly demand: RequestDemand | null;
}

/**
 * What makes these groups privileged: a role; being asked by a step, or an escalation, of a
 * request type that is published or of a version that a pending request still runs; being
 * principal of an active policy with a rule that asks for no request. `end_user` gives
 * nothing but the right to ask, so that role alone makes no group privileged.
 *
 * Reads the tables of requests and policy, which both build on this feature: to import them
 * would be a cycle. What their definitions look like: requests/model.ts, policy/model.ts.
 */
export async function privilegedUses(
  sql: Sql,
  groupIds: readonly string[],
): Promise<PrivilegedUse[]> {
  if (groupIds.length === 0) return [];
  const { rows } = await raw<PrivilegedUse>`
    select * from (
      select group_id::text, 'role' as kind, role as name
      from role_bindings where role <> 'end_user'
      union
      select asked->>'id', 'approver', t.name
      from request_types t
      join request_type_versions v on v.request_type_id = t.id
      cross join jsonb_path_query(v.definition, 'strict $.steps.** ? (@.kind == "group")') asked
      where (t.state = 'published' and v.version = t.published_version)
        or exists (
          select 1 from access_requests r
          where r.state = 'pending' and r.request_type_id = v.request_type_id
            and r.request_type_version = v.version)
      union
      select principal->>'id', 'principal', p.name
      from security_policies p
      cross join jsonb_array_elements(p.definition->'principals'->'user_groups') principal
      where p.active and exists (
        select 1 from jsonb_array_elements(p.definition->'rules') rule
        where not jsonb_path_exists(
          rule, '$.conditions[*] ? (@.condition_type == "access_request")'))
    ) uses
    where group_id in (${raw.join(groupIds)})
    order by group_id, kind desc, name`.execute(sql);
  return rows;
}

/**
 * Held until the end, in id order: nobody joins by a source that must be named meanwhile
 * (see {@link lockGroupShared}).
 */
export const lockGroups = (sql: Sql, ids: readonly string[]) =>
  sql
    .selectFrom('groups')
    .select(['id', 'name', 'source'])
    .where('id', 'in', ids)
    .orderBy('id')
    .forNoKeyUpdate()
    .execute();

/** Held until the end: what the group is used for becomes no other meanwhile. */
export const lockGroupShared = (sql: Sql, id: string): Promise<unknown> =>
  sql.selectFrom('groups').select('id').where('id', '=', id).forShare().execute();

export async function sourcesOfGroups(
  sql: Sql,
  groupIds: readonly string[],
): Promise<{ group_id: string; source: GroupSource }[]> {
  if (groupIds.length === 0) return [];
  return await sql
    .selectFrom('group_sources')
    .select(['group_id', 'source'])
    .where('group_id', 'in', groupIds)
    .orderBy('source')
    .execute();
}

export const insertGroupSource = (
  sql: Sql,
  row: Insertable<DomainTables['group_sources']>,
): Promise<unknown> => sql.insertInto('group_sources').values(row).execute();

export const deleteGroupSource = (
  sql: Sql,
  groupId: string,
  source: GroupSource,
): Promise<unknown> =>
  sql
    .deleteFrom('group_sources')
    .where('group_id', '=', groupId)
    .where('source', '=', source)
    .execute();

/** Live rows that no admin made, of a request with what its type demands; and of a rule that has none yet. */
export async function undirectedSources(
  sql: Sql,
  groupIds: readonly string[],
  now: Instant,
): Promise<UndirectedRow[]> {
  if (groupIds.length === 0) return [];
  const rows = await sql
    .selectFrom('memberships as m')
    .leftJoin('access_requests as r', 'r.id', 'm.request_id')
    .leftJoin('request_type_versions as v', (join) =>
      join
        .onRef('v.request_type_id', '=', 'r.request_type_id')
        .onRef('v.version', '=', 'r.request_type_version'),
    )
    .select(['m.group_id', 'm.source', 'v.definition as demand'])
    .distinct()
    .where('m.group_id', 'in', groupIds)
    .where('m.ended_at', 'is', null)
    .where((e) => e.or([e('m.expires_at', 'is', null), e('m.expires_at', '>', now)]))
    .where('m.source', '<>', 'direct')
    .execute();
  // A rule may choose somebody tomorrow.
  const rules = await sql
    .selectFrom('group_rules')
    .select('group_id')
    .distinct()
    .where('group_id', 'in', groupIds)
    .execute();
  return [
    ...(rows as UndirectedRow[]),
    ...rules.map(({ group_id }) => ({ group_id, source: 'rule' as const, demand: null })),
  ];
}

/** What the request was approved by: the version that it runs. */
export async function demandOfRequest(sql: Sql, id: string): Promise<RequestDemand | undefined> {
  const row = await sql
    .selectFrom('access_requests as r')
    .innerJoin('request_type_versions as v', (join) =>
      join
        .onRef('v.request_type_id', '=', 'r.request_type_id')
        .onRef('v.version', '=', 'r.request_type_version'),
    )
    .select('v.definition')
    .where('r.id', '=', id)
    .executeTakeFirst();
  return row?.definition as RequestDemand | undefined;
}
