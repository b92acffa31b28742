import type { Instant, Seconds } from '@postern/shared';
import { type Insertable, type Kysely, type Selectable, sql, type Updateable } from 'kysely';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';
import type { Approval, RequestTypeFacts, ServerFacts, UserFacts } from './facts.ts';
import type { SecurityPolicy } from './model.ts';

type Sql = Kysely<Database>;

export async function loadUserFacts(
  db: Sql,
  id: string,
  now: Instant,
): Promise<UserFacts | undefined> {
  const user = await db
    .selectFrom('users')
    .select(['id', 'status', 'unix_name'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (user === undefined) return undefined;
  const memberships = await db
    .selectFrom('memberships as m')
    .innerJoin('groups as g', 'g.id', 'm.group_id')
    .select(['m.group_id', 'm.expires_at as valid_until'])
    .where('m.user_id', '=', id)
    .where('m.ended_at', 'is', null)
    .where('g.deleted_at', 'is', null)
    .where((e) => e.or([e('m.expires_at', 'is', null), e('m.expires_at', '>', now)]))
    .execute();
  return { ...user, memberships };
}

/** All servers that are not deleted, or those with the ids, with their vaulted accounts. */
export async function loadServerFacts(
  db: Sql,
  ids?: readonly string[],
): Promise<NamedServerFacts[]> {
  if (ids?.length === 0) return [];
  let servers = db
    .selectFrom('servers as s')
    .innerJoin('projects as p', 'p.id', 's.project_id')
    .select([
      's.id',
      's.hostname',
      's.access_address',
      's.access_port',
      's.identity_revision',
      's.state',
      's.via',
      's.os_type',
      's.labels',
      's.admin_account_template',
      'p.resource_group_id',
      'p.name as project_name',
    ])
    .where('s.state', '<>', 'DELETED');
  if (ids !== undefined) servers = servers.where('s.id', 'in', ids);
  let accounts = db
    .selectFrom('accounts as a')
    .innerJoin('servers as s', 's.id', 'a.server_id')
    .select(['a.id', 'a.server_id', 'a.username'])
    .select(
      // Usable: its newest secret was sealed for the server's present identity.
      sql<boolean>`coalesce((select x.server_identity_revision = s.identity_revision
        from account_secrets x where x.account_id = a.id order by x.version desc limit 1), false)`.as(
        'usable',
      ),
    )
    .where('a.deleted_at', 'is', null);
  if (ids !== undefined) accounts = accounts.where('a.server_id', 'in', ids);
  const byServer = new Map<string, { id: string; username: string; usable: boolean }[]>();
  for (const { server_id, ...account } of await accounts.orderBy('a.username').execute())
    byServer.set(server_id, [...(byServer.get(server_id) ?? []), account]);
  return (await servers.orderBy('s.hostname').execute()).map((server) => ({
    ...server,
    accounts: byServer.get(server.id) ?? [],
  }));
}

/** What evaluation needs of a server, and what people are shown of it. */
export interface NamedServerFacts extends ServerFacts {
  readonly hostname: string;
  readonly access_address: string;
  readonly access_port: number;
  readonly project_name: string;
}

export const loadPolicies = async (db: Sql): Promise<SecurityPolicy[]> =>
  (
    await db
      .selectFrom('security_policies')
      .select('definition')
      .where('active', '=', true)
      .orderBy('id')
      .execute()
  ).map((row) => row.definition as SecurityPolicy);

/** Only those whose principals are among the groups: enough to evaluate one person. */
export async function loadPoliciesFor(
  db: Sql,
  groupIds: readonly string[],
): Promise<SecurityPolicy[]> {
  if (groupIds.length === 0) return [];
  const rows = await db
    .selectFrom('security_policies')
    .select('definition')
    .where('active', '=', true)
    .where(
      sql<boolean>`exists (select 1 from jsonb_array_elements(definition->'principals'->'user_groups') g
        where g->>'id' in (${sql.join(groupIds)}))`,
    )
    .orderBy('id')
    .execute();
  return rows.map((row) => row.definition as SecurityPolicy);
}

export async function loadRequestTypes(db: Sql): Promise<RequestTypeFacts[]> {
  const rows = await db
    .selectFrom('request_types as t')
    .leftJoin('request_type_versions as v', (join) =>
      join.onRef('v.request_type_id', '=', 't.id').onRef('v.version', '=', 't.published_version'),
    )
    .select(['t.id', 't.name', 't.state', 't.published_version', 'v.definition'])
    .execute();
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    published_version: row.state === 'published' ? row.published_version : null,
    accepts: (row.definition as { accepts?: number[] } | null)?.accepts ?? [],
  }));
}

/** Approvals in force of one person, on one server or on all. */
export async function loadApprovals(
  db: Sql,
  userId: string,
  serverId?: string,
): Promise<Approval[]> {
  let query = db
    .selectFrom('approvals')
    .selectAll()
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('ended_at', 'is', null);
  if (serverId !== undefined) query = query.where('server_id', '=', serverId);
  const rows = await query.orderBy('id').execute();
  return rows.map((row) => ({ ...row, periods: row.periods as Record<string, Seconds> }));
}

/** The person's pending requests: which type and target each is for. */
export const loadPending = (db: Sql, userId: string) =>
  db
    .selectFrom('access_requests')
    .select([
      'id',
      'server_id',
      'identity',
      'credential_type',
      'privilege',
      'admin_level',
      'request_type_id',
      'binding',
    ])
    .where('requester_id', '=', userId)
    .where('state', '=', 'pending')
    .execute();
export type PendingRow = Awaited<ReturnType<typeof loadPending>>[number];

export async function loadServerNames(db: Sql): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('server_names').select(['name', 'server_id']).execute();
  return new Map(rows.map((row) => [row.name, row.server_id]));
}

/** Changes whenever the policy set or any server does: every writer counts its row up. */
export async function policyStamp(db: Sql): Promise<string> {
  const row = await db
    .selectFrom('revisions')
    .select((e) => [e.fn.countAll<number>().as('n'), e.fn.sum<number>('revision').as('sum')])
    .where('kind', 'in', ['policy', 'server'])
    .executeTakeFirstOrThrow();
  return `${row.n}:${row.sum}`;
}

type Policies = DomainTables['security_policies'];
export type PolicyRow = Selectable<Policies>;

export const insertPolicy = (db: Sql, row: Insertable<Policies>): Promise<PolicyRow> =>
  db.insertInto('security_policies').values(row).returningAll().executeTakeFirstOrThrow();

export const updatePolicy = (db: Sql, id: string, row: Updateable<Policies>): Promise<PolicyRow> =>
  db
    .updateTable('security_policies')
    .set(row)
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();

export const deletePolicyRow = (db: Sql, id: string): Promise<unknown> =>
  db.deleteFrom('security_policies').where('id', '=', id).execute();

export const findPolicy = (db: Sql, id: string) =>
  db.selectFrom('security_policies').selectAll().where('id', '=', id).executeTakeFirst();

export const findPolicyByName = (db: Sql, name: string) =>
  db.selectFrom('security_policies').selectAll().where('name', '=', name).executeTakeFirst();

export function listPolicies(db: Sql, filter: { name?: string; before?: string; limit: number }) {
  let query = db.selectFrom('security_policies').selectAll();
  if (filter.name !== undefined) query = query.where('name', '=', filter.name);
  if (filter.before !== undefined) query = query.where('id', '<', filter.before);
  return query
    .orderBy('id', 'desc')
    .limit(filter.limit + 1)
    .execute();
}

/** Everything that a policy may refer to. */
export async function loadReferences(db: Sql, except: string | undefined) {
  return {
    groups: await db
      .selectFrom('groups')
      .select(['id', 'name'])
      .where('deleted_at', 'is', null)
      .execute(),
    resource_groups: await db.selectFrom('resource_groups').select(['id', 'name']).execute(),
    servers: await db
      .selectFrom('servers as s')
      .innerJoin('projects as p', 'p.id', 's.project_id')
      .select([
        's.id',
        's.hostname as name',
        's.labels',
        's.admin_account_template',
        'p.resource_group_id',
      ])
      .where('s.state', '<>', 'DELETED')
      .execute(),
    request_types: await db
      .selectFrom('request_types as t')
      .select(['t.id', 't.name', 't.published_version', 't.draft'])
      .where('t.state', '<>', 'retired')
      .execute(),
    names: (await db.selectFrom('security_policies').select(['id', 'name']).execute())
      .filter((row) => row.id !== except)
      .map((row) => row.name),
  };
}
