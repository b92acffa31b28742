import {
  type Change,
  isGroupName,
  isLabelValue,
  type ResourceGroupDocument,
  type ServerDocument,
} from '@postern/shared';
import { changeOf, resolveLogins } from '../directory/index.ts';
import { type Caller, eventBy, makersOf, refTo } from '../identity/index.ts';
import { json } from '../platform/columns.ts';
import { type FieldError, Refusal } from '../platform/errors.ts';
import { bumpRevisions } from '../platform/locks.ts';
import { refuseFaults } from '../platform/plain-text.ts';
import type { Tx } from '../platform/tx.ts';
import type { Keyring } from '../vault/index.ts';
import { DEFAULTS, readServer } from './server-values.ts';
import { createAccount, putCredential, readCredential } from './service-accounts.ts';
import { findServer } from './service-find.ts';
import type { InventoryHooks } from './service-hooks.ts';
import { changeServer, createServer, type Project } from './service-servers.ts';
import { findServerByName, type ServerRecord } from './store.ts';
import {
  deleteResourceOwner,
  findProject,
  findResourceGroup,
  insertProject,
  insertResourceGroup,
  insertResourceOwner,
  projectsOf,
  resourceOwnersOf,
} from './store-groups.ts';

/** What applying a server needs besides its transaction. */
export interface InventoryTools {
  readonly hooks: InventoryHooks;
  readonly keyring: Keyring;
}

/**
 * Creates the group and the projects it lacks; projects that are not named stay. Owners,
 * where given, become exactly these. The administration lock is held.
 */
export async function putResourceGroup(
  tx: Tx,
  caller: Caller,
  document: ResourceGroupDocument,
): Promise<Change> {
  refuseFaults(groupFaults(document));
  const found = await findResourceGroup(tx.sql, document.name);
  const group = found ?? { id: tx.ids.uuid(), name: document.name };
  if (found === undefined) {
    await insertResourceGroup(tx.sql, { ...group, created_at: tx.now });
    await tx.audit(eventBy(caller, 'pam.resource_group.create', [refTo('resource_group', group)]));
  }
  const details = [
    ...(await addProjects(tx, caller, group, document.projects)),
    ...(await syncOwners(tx, caller, group, document.owners)),
  ];
  return changeOf('ResourceGroup', group.name, found === undefined, details);
}

const groupFaults = ({ name, projects }: ResourceGroupDocument): FieldError[] => [
  ...(isGroupName(name)
    ? []
    : [{ pointer: '/name', code: 'group_name', detail: 'is not usable as a name' }]),
  ...projects.flatMap((project, index) =>
    project !== '' && isLabelValue(project)
      ? []
      : [
          {
            pointer: `/projects/${index}`,
            code: 'project_name',
            detail: 'must be usable as a label: letters, digits, hyphens, dots and underscores',
          },
        ],
  ),
];

async function addProjects(
  tx: Tx,
  caller: Caller,
  group: { readonly id: string; readonly name: string },
  names: readonly string[],
): Promise<string[]> {
  const held = (await projectsOf(tx.sql, [group.id])).map((project) => project.name);
  const added = [...new Set(names)].filter((name) => !held.includes(name));
  for (const name of added) {
    const project = { id: tx.ids.uuid(), name };
    await insertProject(tx.sql, { ...project, resource_group_id: group.id, created_at: tx.now });
    await tx.audit(
      eventBy(caller, 'pam.project.create', [
        refTo('project', project),
        refTo('resource_group', group),
      ]),
    );
  }
  return added.map((name) => `project added: ${name}`);
}

/** Owners may be approvers, so who made them one is kept. */
async function syncOwners(
  tx: Tx,
  caller: Caller,
  group: { readonly id: string; readonly name: string },
  owners: readonly string[] | undefined,
): Promise<string[]> {
  if (owners === undefined) return [];
  const held = await resourceOwnersOf(tx.sql, [group.id]);
  const wanted = [...(await resolveLogins(tx, owners, '/owners'))];
  const added = wanted.filter(([, id]) => !held.some((row) => row.user_id === id));
  const removed = held.filter((row) => !wanted.some(([, id]) => id === row.user_id));
  if (added.length + removed.length === 0) return [];
  const touched = [...added.map(([, id]) => id), ...removed.map((row) => row.user_id)];
  await bumpRevisions(tx.sql, touched);
  for (const [, user_id] of added)
    await insertResourceOwner(tx.sql, {
      resource_group_id: group.id,
      user_id,
      made_by: json(makersOf(caller)),
      created_at: tx.now,
    });
  for (const row of removed) await deleteResourceOwner(tx.sql, group.id, row.user_id);
  const changes = [
    ...added.map(([login]) => `owner added: ${login}`),
    ...removed.map((row) => `owner removed: ${row.login}`),
  ];
  const target = refTo('resource_group', group);
  await tx.audit(eventBy(caller, 'pam.resource_group.update', [target], { changes }));
  for (const id of touched) await tx.signal({ kind: 'user', id });
  return changes;
}

/**
 * Creates the server of this hostname, or changes what the document names; accounts that
 * are not named stay. Its revision, where it has one, is bumped, and the administration
 * lock is held.
 */
export async function putServer(
  tx: Tx,
  caller: Caller,
  tools: InventoryTools,
  document: ServerDocument,
): Promise<Change> {
  const { kind, resource_group, project, accounts = [], ...fields } = document;
  const place = await projectOf(tx, resource_group, project);
  const found = await findServerByName(tx.sql, fields.hostname);
  const server = found?.hostname === fields.hostname ? found : undefined;
  if (server === undefined) {
    const { values, faults } = readServer(DEFAULTS, fields);
    refuseFaults(faults);
    const created = await createServer(tx, caller, place, values);
    await putAccounts(tx, caller, tools.keyring, created, accounts);
    return changeOf(kind, fields.hostname, true, [
      `at ${values.access_address} port ${values.access_port}`,
      ...accounts.map(({ username }) => `account added: ${username}`),
    ]);
  }
  const changes = await changeServer(tx, caller, tools.hooks, server, fields, place);
  const now = changes.length === 0 ? server : await findServer(tx, server.id);
  changes.push(...(await putAccounts(tx, caller, tools.keyring, now, accounts)));
  return changeOf(kind, fields.hostname, false, changes);
}

async function projectOf(tx: Tx, group: string, project: string): Promise<Project> {
  const known = isGroupName(group) && isLabelValue(project);
  const found = known ? await findProject(tx.sql, group, project) : undefined;
  if (found !== undefined) return found;
  const detail = 'there is no such project in this resource group';
  throw new Refusal('invalid_request', `/project: ${detail}.`, {
    errors: [{ pointer: '/project', code: 'unknown_project', detail }],
  });
}

async function putAccounts(
  tx: Tx,
  caller: Caller,
  keyring: Keyring,
  server: ServerRecord,
  accounts: NonNullable<ServerDocument['accounts']>,
): Promise<string[]> {
  const changes: string[] = [];
  for (const [index, { username, credential }] of accounts.entries()) {
    if (credential !== undefined) {
      using parsed = readCredential(credential, `/accounts/${index}/credential`);
      changes.push(...(await putCredential(tx, caller, keyring, server, username, parsed.value)));
    } else if (!server.accounts.some((account) => account.username === username)) {
      await createAccount(tx, caller, server, username, 'certificate');
      changes.push(`account added: ${username}`);
    }
  }
  return changes;
}
