import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import {
  createConnection,
  linkGroup,
  listConnections,
  revokeConnection,
  rotateToken,
  updateConnection,
} from './service-connections.ts';

/** Connections, for administrators. */
export function registerScimConnectionRoutes(
  app: FastifyInstance,
  world: RouteWorld<Caller>,
): void {
  route(app, world, 'createScimConnection', async ({ tx, caller, body }) => ({
    status: 201,
    body: await createConnection(tx, caller, body),
  }));
  route(app, world, 'listScimConnections', async ({ tx, query }) => {
    const { list, ...next } = await listConnections(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'updateScimConnection', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await updateConnection(tx, caller, params.id, body),
  }));
  route(app, world, 'rotateScimToken', async ({ tx, caller, params }) => ({
    status: 201,
    body: await rotateToken(tx, caller, params.id),
  }));
  route(app, world, 'revokeScimConnection', async ({ tx, caller, params }) => {
    await revokeConnection(tx, caller, params.id);
    return { status: 204, body: null };
  });
  route(app, world, 'linkScimGroup', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await linkGroup(tx, caller, params.id, body),
  }));
}
