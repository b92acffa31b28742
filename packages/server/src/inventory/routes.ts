import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import { deleteAccount, setCredential } from './service-accounts.ts';
import type { InventoryTools } from './service-apply.ts';
import {
  deleteServer,
  getInventoryServer,
  listInventory,
  listResourceGroups,
  updateServer,
} from './service-servers.ts';

export interface InventoryWorld extends RouteWorld<Caller>, InventoryTools {}

/** The inventory as its admins see it; what a person can reach is policy's to answer. */
export function registerInventoryRoutes(app: FastifyInstance, world: InventoryWorld): void {
  const { hooks, keyring } = world;
  route(app, world, 'listInventory', async ({ tx, query }) => {
    const { list, ...next } = await listInventory(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'getInventoryServer', async ({ tx, params }) => ({
    status: 200,
    body: await getInventoryServer(tx, params.id),
  }));
  route(app, world, 'updateServer', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await updateServer(tx, caller, hooks, params.id, body),
  }));
  route(app, world, 'deleteServer', async ({ tx, caller, params }) => {
    await deleteServer(tx, caller, hooks, params.id);
    return { status: 204, body: null };
  });
  route(app, world, 'setCredential', async ({ tx, caller, params, body }) => {
    const at = { server_id: params.id, username: params.username };
    return { status: 200, body: await setCredential(tx, caller, keyring, at, body.credential) };
  });
  route(app, world, 'deleteAccount', async ({ tx, caller, params }) => {
    const at = { server_id: params.id, username: params.username };
    await deleteAccount(tx, caller, hooks, at);
    return { status: 204, body: null };
  });
  route(app, world, 'listResourceGroups', async ({ tx }) => ({
    status: 200,
    body: await listResourceGroups(tx),
  }));
}
