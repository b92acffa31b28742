import type { Answer, Body, Server } from '@postern/shared';
import { clashOfTemplate, lockAdministration } from '../directory/index.ts';
import { type Caller, eventBy, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { Refusal } from '../platform/errors.ts';
import { addRevision, bumpRevisions } from '../platform/locks.ts';
import { cutPage, type PageQuery, pageOf } from '../platform/paging.ts';
import { refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import { allLabels } from './labels.ts';
import { serverChanges } from './server-changes.ts';
import { isMoved, namesOf, readServer, type ServerValues } from './server-values.ts';
import { removeAccount } from './service-accounts.ts';
import { findServer } from './service-find.ts';
import type { InventoryHooks } from './service-hooks.ts';
import {
  insertServer,
  listServers,
  type ServerRecord,
  setNames,
  takenNames,
  updateServerRow,
} from './store.ts';
import {
  listResourceGroups as listGroupRows,
  projectsOf,
  resourceOwnersOf,
} from './store-groups.ts';

/** A project a server is put into. */
export interface Project {
  readonly id: string;
  readonly name: string;
}

export async function listInventory(
  tx: Tx,
  query: PageQuery & { readonly hostname?: string | undefined },
): Promise<{ readonly list: Server[]; readonly next_cursor?: string }> {
  const page = pageOf(query);
  const { hostname } = query;
  if (hostname !== undefined && !/^[a-z0-9.-]+$/.test(hostname)) return { list: [] };
  const cut = cutPage(await listServers(tx.sql, { ...page, hostname }), page);
  return { ...cut, list: cut.list.map(toServer) };
}

export async function getInventoryServer(tx: Tx, id: string): Promise<Server> {
  return toServer(await findServer(tx, id));
}

export const toServer = (server: ServerRecord): Server => ({
  id: server.id,
  hostname: server.hostname,
  canonical_name: server.canonical_name,
  alt_names: [...server.alt_names],
  resource_group: server.resource_group,
  project: server.project,
  access_address: server.access_address,
  access_port: server.access_port,
  os_type: server.os_type,
  labels: { ...server.labels },
  host_keys: [...server.host_keys],
  via: server.via,
  state: server.state,
  admin_account_template: server.admin_account_template,
  allow_local_address: server.allow_local_address,
  identity_revision: server.identity_revision,
  accounts: server.accounts.map((account) => ({ ...account })),
});

export async function updateServer(
  tx: Tx,
  caller: Caller,
  hooks: InventoryHooks,
  id: string,
  patch: Body<'updateServer'>,
): Promise<Server> {
  await lockAdministration(tx.sql);
  await bumpRevisions(tx.sql, [id]);
  const server = await findServer(tx, id);
  await changeServer(tx, caller, hooks, server, patch, server.project);
  return toServer(await findServer(tx, id));
}

const valuesOf = (server: ServerRecord): ServerValues => ({
  ...server,
  labels: server.own_labels,
  state: server.state === 'ACTIVE' ? 'ACTIVE' : 'INACTIVE',
});

/**
 * @returns what changed, a line each. The administration lock is held and the server's
 * revision bumped.
 */
export async function changeServer(
  tx: Tx,
  caller: Caller,
  hooks: InventoryHooks,
  server: ServerRecord,
  patch: Body<'updateServer'>,
  project: Project,
): Promise<string[]> {
  const before = valuesOf(server);
  const { values, faults } = readServer(before, patch);
  refuseFaults(faults);
  const changes = serverChanges(before, values);
  if (project.id !== server.project.id)
    changes.push(`project: ${server.project.name} → ${project.name}`);
  if (changes.length === 0) return [];
  await checkAgainstWorld(tx, server.id, values);
  const moved = isMoved(before, values);
  await updateServerRow(tx.sql, server.id, {
    ...columnsOf(values, project),
    identity_revision: server.identity_revision + (moved ? 1 : 0),
  });
  await setNames(tx.sql, server.id, namesOf(values));
  const now = { id: server.id, name: values.hostname };
  await tx.audit(eventBy(caller, 'pam.server.update', [refTo('server', now)], { changes }));
  if (moved) await hooks.serverMoved(tx, server.id, caller);
  await tx.signal({ kind: 'server', id: server.id });
  return changes;
}

/** The administration lock is held. */
export async function createServer(
  tx: Tx,
  caller: Caller,
  project: Project,
  values: ServerValues,
): Promise<ServerRecord> {
  const id = tx.ids.uuid();
  await checkAgainstWorld(tx, id, values);
  await insertServer(tx.sql, {
    id,
    ...columnsOf(values, project),
    created_at: tx.now,
  });
  await addRevision(tx.sql, id, 'server');
  await setNames(tx.sql, id, namesOf(values));
  const { access_address, access_port } = values;
  await tx.audit(
    eventBy(caller, 'pam.server.create', [refTo('server', { id, name: values.hostname })], {
      project: project.name,
      access_address,
      access_port,
    }),
  );
  await tx.signal({ kind: 'server', id });
  return await findServer(tx, id);
}

const columnsOf = (values: ServerValues, project: Project) => ({
  project_id: project.id,
  hostname: values.hostname,
  canonical_name: values.canonical_name,
  alt_names: json(values.alt_names),
  access_address: values.access_address,
  access_port: values.access_port,
  os_type: values.os_type,
  labels: json(allLabels({ ...values, project_name: project.name })),
  host_keys: json(values.host_keys),
  via: values.via,
  state: values.state,
  admin_account_template: values.admin_account_template,
  allow_local_address: values.allow_local_address,
});

/** One name is one server's, whichever of its names it is; a template makes nobody's own account. */
async function checkAgainstWorld(tx: Tx, id: string, values: ServerValues): Promise<void> {
  const taken = await takenNames(tx.sql, namesOf(values), id);
  if (taken.length > 0)
    throw new Refusal(
      'state_conflict',
      taken.map(({ name, hostname }) => `${name} is a name of ${hostname}.`).join(' '),
      {
        errors: taken.map(({ name }) => ({
          pointer: pointerTo(name, values),
          code: 'taken',
          detail: 'is a name of another server',
        })),
      },
    );
  const { admin_account_template: template } = values;
  const clash = template === null ? undefined : await clashOfTemplate(tx.sql, template);
  if (clash)
    throw new Refusal(
      'state_conflict',
      `The template makes ${clash.made} of ${clash.person}, and that is another person's own account.`,
      {
        errors: [
          {
            pointer: '/admin_account_template',
            code: 'taken',
            detail: 'makes an account that is somebody’s own',
          },
        ],
      },
    );
}

function pointerTo(name: string, values: ServerValues): string {
  if (name === values.hostname) return '/hostname';
  if (name === values.canonical_name) return '/canonical_name';
  return `/alt_names/${values.alt_names.indexOf(name)}`;
}

/** Its names are free again; its id, and what was granted for it, never come back. */
export async function deleteServer(
  tx: Tx,
  caller: Caller,
  hooks: InventoryHooks,
  id: string,
): Promise<void> {
  await lockAdministration(tx.sql);
  await bumpRevisions(tx.sql, [id]);
  const server = await findServer(tx, id);
  for (const account of server.accounts) await removeAccount(tx, caller, hooks, server, account);
  await updateServerRow(tx.sql, id, { state: 'DELETED' });
  await setNames(tx.sql, id, []);
  await tx.audit(eventBy(caller, 'pam.server.remove', [refTo('server', server)]));
  await hooks.serverRemoved(tx, id, caller);
  await tx.signal({ kind: 'server', id });
}

export async function listResourceGroups(tx: Tx): Promise<Answer<'listResourceGroups'>> {
  const groups = await listGroupRows(tx.sql);
  const ids = groups.map((group) => group.id);
  const projects = await projectsOf(tx.sql, ids);
  const owners = await resourceOwnersOf(tx.sql, ids);
  const list = groups.map(({ id, name }) => ({
    id,
    name,
    owners: owners
      .filter((row) => row.resource_group_id === id)
      .map((row) => ({ id: row.user_id, name: row.name })),
    projects: projects
      .filter((row) => row.resource_group_id === id)
      .map((row) => ({ id: row.id, name: row.name })),
  }));
  return { list };
}
