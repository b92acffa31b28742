import type { Insertable, Kysely, Updateable } from 'kysely';
import type { PageRequest } from '../platform/paging.ts';
import type { Database } from '../platform/schema.ts';
import type { DomainTables } from '../platform/tables.ts';
import { ownLabels } from './labels.ts';

type Sql = Kysely<Database>;

interface Named {
  readonly id: string;
  readonly name: string;
}

/** A vaulted account. */
export interface AccountRecord {
  readonly id: string;
  readonly username: string;
  readonly credential: 'password' | 'private_key' | 'certificate';
  /** Its newest credential is sealed for the server's present identity revision. */
  readonly usable: boolean;
}

/** A server with everything that is decided on it. Serves as the policy's `ServerFacts`. */
export interface ServerRecord {
  readonly id: string;
  /** Its hostname: the name people see. */
  readonly name: string;
  readonly hostname: string;
  readonly canonical_name: string | null;
  readonly alt_names: readonly string[];
  readonly resource_group_id: string;
  readonly resource_group: Named;
  readonly project: Named;
  readonly access_address: string;
  readonly access_port: number;
  readonly os_type: string;
  /** With the system's own. */
  readonly labels: Readonly<Record<string, string>>;
  /** As people wrote them. */
  readonly own_labels: Readonly<Record<string, string>>;
  readonly host_keys: readonly string[];
  readonly via: 'gateway' | 'direct';
  readonly state: 'ACTIVE' | 'INACTIVE' | 'DELETED';
  readonly admin_account_template: string | null;
  readonly allow_local_address: boolean;
  readonly identity_revision: number;
  readonly accounts: readonly AccountRecord[];
}

const serverRows = (sql: Sql) =>
  sql
    .selectFrom('servers as s')
    .innerJoin('projects as p', 'p.id', 's.project_id')
    .innerJoin('resource_groups as g', 'g.id', 'p.resource_group_id')
    .selectAll('s')
    .select(['p.name as project_name', 'g.id as group_id', 'g.name as group_name'])
    .orderBy('s.id');
type ServerRow = Awaited<ReturnType<ReturnType<typeof serverRows>['execute']>>[number];

/** Accounts that are there, each with the identity revision its newest credential is for. */
const accountRows = (sql: Sql) =>
  sql
    .selectFrom('accounts as a')
    .leftJoin('account_secrets as s', (join) =>
      join.onRef('s.account_id', '=', 'a.id').on('s.version', '=', (e) =>
        e
          .selectFrom('account_secrets as newest')
          .select(({ fn }) => fn.max('newest.version').as('version'))
          .whereRef('newest.account_id', '=', 'a.id'),
      ),
    )
    .select([
      'a.id',
      'a.server_id',
      'a.username',
      'a.credential',
      's.server_identity_revision as sealed_for',
    ])
    .where('a.deleted_at', 'is', null)
    .orderBy('a.username');
type AccountRow = Awaited<ReturnType<ReturnType<typeof accountRows>['execute']>>[number];

function toRecords(servers: readonly ServerRow[], accounts: readonly AccountRow[]): ServerRecord[] {
  const byServer = Map.groupBy(accounts, (account) => account.server_id);
  return servers.map((row) => ({
    id: row.id,
    name: row.hostname,
    hostname: row.hostname,
    canonical_name: row.canonical_name,
    alt_names: row.alt_names,
    resource_group_id: row.group_id,
    resource_group: { id: row.group_id, name: row.group_name },
    project: { id: row.project_id, name: row.project_name },
    access_address: row.access_address,
    access_port: row.access_port,
    os_type: row.os_type,
    labels: row.labels,
    own_labels: ownLabels(row.labels),
    host_keys: row.host_keys,
    via: row.via,
    state: row.state,
    admin_account_template: row.admin_account_template,
    allow_local_address: row.allow_local_address,
    identity_revision: row.identity_revision,
    accounts: (byServer.get(row.id) ?? []).map(({ id, username, credential, sealed_for }) => ({
      id,
      username,
      credential,
      usable: sealed_for === row.identity_revision,
    })),
  }));
}

const withAccounts = async (sql: Sql, rows: readonly ServerRow[]): Promise<ServerRecord[]> => {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  return toRecords(rows, await accountRows(sql).where('a.server_id', 'in', ids).execute());
};

/** Servers by id, deleted ones included: their state says so. Unknown ids are left out. */
export async function serverFactsOf(sql: Sql, ids: readonly string[]): Promise<ServerRecord[]> {
  if (ids.length === 0) return [];
  return await withAccounts(sql, await serverRows(sql).where('s.id', 'in', ids).execute());
}

/** Every server that is not deleted. */
export async function allServers(sql: Sql): Promise<ServerRecord[]> {
  const rows = await serverRows(sql).where('s.state', '<>', 'DELETED').execute();
  return toRecords(rows, await accountRows(sql).execute());
}

/** The server that answers to this name, in whatever case it is written. */
export async function findServerByName(sql: Sql, name: string): Promise<ServerRecord | undefined> {
  if (!/^[A-Za-z0-9.-]{1,253}$/.test(name)) return undefined;
  const row = await sql
    .selectFrom('server_names')
    .select('server_id')
    .where('name', '=', name.toLowerCase())
    .executeTakeFirst();
  return row && (await serverFactsOf(sql, [row.server_id]))[0];
}

export async function listServers(
  sql: Sql,
  filter: { readonly hostname: string | undefined } & PageRequest,
): Promise<ServerRecord[]> {
  let query = serverRows(sql).where('s.state', '<>', 'DELETED');
  if (filter.hostname !== undefined) query = query.where('s.hostname', '=', filter.hostname);
  if (filter.after !== undefined) query = query.where('s.id', '>', filter.after);
  return await withAccounts(sql, await query.limit(filter.limit + 1).execute());
}

/** Which of these names another server answers to, and which server that is. */
export async function takenNames(
  sql: Sql,
  names: readonly string[],
  exceptServerId: string,
): Promise<{ name: string; hostname: string }[]> {
  return await sql
    .selectFrom('server_names as n')
    .innerJoin('servers as s', 's.id', 'n.server_id')
    .select(['n.name', 's.hostname'])
    .where('n.name', 'in', names)
    .where('n.server_id', '<>', exceptServerId)
    .orderBy('n.name')
    .execute();
}

export async function setNames(
  sql: Sql,
  serverId: string,
  names: readonly string[],
): Promise<void> {
  await sql.deleteFrom('server_names').where('server_id', '=', serverId).execute();
  if (names.length > 0)
    await sql
      .insertInto('server_names')
      .values(names.map((name) => ({ name, server_id: serverId })))
      .execute();
}

export const insertServer = (
  sql: Sql,
  row: Insertable<DomainTables['servers']>,
): Promise<unknown> => sql.insertInto('servers').values(row).execute();

export const updateServerRow = (
  sql: Sql,
  id: string,
  fields: Updateable<DomainTables['servers']>,
): Promise<unknown> => sql.updateTable('servers').set(fields).where('id', '=', id).execute();

/** Ids of the servers with these hostnames, of those that exist. */
export async function idsOfHostnames(sql: Sql, hostnames: readonly string[]): Promise<string[]> {
  if (hostnames.length === 0) return [];
  const rows = await sql
    .selectFrom('servers')
    .select('id')
    .where('hostname', 'in', hostnames)
    .where('state', '<>', 'DELETED')
    .execute();
  return rows.map((row) => row.id);
}
