import { Type } from 'typebox';
import { Named, Page, PageQuery, Strict, Text, Uuid } from '../schemas/common.ts';
import { Account, Credential, ReachableServer, Server, ServerPatch } from '../schemas/inventory.ts';
import { AccessMethod } from '../schemas/method.ts';
import { type Grant, operation, TEAM } from './operation.ts';

const tag = 'servers';
const one = Strict({ team: Type.String(), id: Uuid });
/** What a policy selects on is policy: inventory needs the security admin. */
const write: readonly Grant[] = [['security_admin', 'any']];
const read: readonly Grant[] = [
  ['security_admin', 'any'],
  ['resource_admin', 'any'],
  ['auditor', 'any'],
];

export const inventoryOperations = {
  listServers: operation({
    id: 'listServers',
    method: 'GET',
    path: `${TEAM}/servers`,
    tag,
    summary: "The caller's reachable servers, and only those",
    access: [['end_user', 'self']],
    cached_auth: true,
    query: Strict({ ...PageQuery, selector: Type.Optional(Text(1000)) }),
    ok: { 200: Page(ReachableServer) },
  }),
  resolve: operation({
    id: 'resolve',
    method: 'POST',
    path: `${TEAM}/resolve`,
    tag,
    summary: 'Names to servers and access methods; unknown and forbidden names answer alike',
    access: [['end_user', 'self']],
    cached_auth: true,
    body: Strict({ names: Type.Array(Text(253), { minItems: 1, maxItems: 20 }) }),
    ok: {
      200: Strict({
        servers: Type.Array(ReachableServer),
        unresolved_names: Type.Array(Type.String()),
        user_access_methods: Type.Array(AccessMethod),
      }),
    },
  }),
  evaluate: operation({
    id: 'evaluate',
    method: 'POST',
    path: `${TEAM}/evaluate`,
    tag,
    summary: 'Access methods and conditions of one user on one server',
    access: [
      ['end_user', 'self'],
      ['security_admin', 'any'],
      ['auditor', 'any'],
    ],
    cached_auth: true,
    body: Strict({ server_id: Uuid, user_id: Type.Optional(Uuid) }),
    ok: { 200: Strict({ user_access_methods: Type.Array(AccessMethod) }) },
  }),
  listInventory: operation({
    id: 'listInventory',
    method: 'GET',
    path: `${TEAM}/inventory/servers`,
    tag,
    summary: 'All servers, for admins',
    access: read,
    query: Strict({ ...PageQuery, hostname: Type.Optional(Text(253)) }),
    ok: { 200: Page(Server) },
  }),
  getInventoryServer: operation({
    id: 'getInventoryServer',
    method: 'GET',
    path: `${TEAM}/inventory/servers/{id}`,
    tag,
    summary: 'One server, for admins',
    access: read,
    params: one,
    ok: { 200: Server },
  }),
  updateServer: operation({
    id: 'updateServer',
    method: 'PATCH',
    path: `${TEAM}/inventory/servers/{id}`,
    tag,
    summary: 'Change a server; a new address, port or host key starts a new identity revision',
    access: write,
    params: one,
    body: ServerPatch,
    ok: { 200: Server },
  }),
  deleteServer: operation({
    id: 'deleteServer',
    method: 'DELETE',
    path: `${TEAM}/inventory/servers/{id}`,
    tag,
    summary: 'Remove a server; its approvals and sessions end, its names are free again',
    access: write,
    params: one,
    ok: { 204: Type.Null() },
  }),
  setCredential: operation({
    id: 'setCredential',
    method: 'PUT',
    path: `${TEAM}/inventory/servers/{id}/accounts/{username}`,
    tag,
    summary: 'Create a vaulted account, or seal a new version of its credential',
    access: write,
    secret: true,
    params: Strict({ team: Type.String(), id: Uuid, username: Text(64) }),
    body: Strict({ credential: Credential }),
    ok: { 200: Account },
  }),
  deleteAccount: operation({
    id: 'deleteAccount',
    method: 'DELETE',
    path: `${TEAM}/inventory/servers/{id}/accounts/{username}`,
    tag,
    summary: 'Remove a vaulted account; its approvals and sessions end',
    access: write,
    params: Strict({ team: Type.String(), id: Uuid, username: Text(64) }),
    ok: { 204: Type.Null() },
  }),
  listResourceGroups: operation({
    id: 'listResourceGroups',
    method: 'GET',
    path: `${TEAM}/resource_groups`,
    tag,
    summary: 'Resource groups with their projects and owners',
    access: read,
    ok: {
      200: Page(
        Strict({
          id: Uuid,
          name: Type.String(),
          owners: Type.Array(Named),
          projects: Type.Array(Named),
        }),
      ),
    },
  }),
} as const;
