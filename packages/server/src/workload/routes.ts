import type { FastifyInstance } from 'fastify';
import { route } from '../platform/route.ts';
import { isPlainAllowed } from './routes-fetch.ts';
import { registerIssueRoutes, type WorkloadWorld } from './routes-issue.ts';
import {
  createConnection,
  listConnections,
  removeConnection,
  replaceConnection,
} from './service-connections.ts';
import { addKey, listKeys, removeKey } from './service-keys.ts';
import { linkPerson, listPeople, unlinkPerson } from './service-people.ts';

/** Jobs of a continuous integration, and service users with keys. */
export function registerWorkloadRoutes(app: FastifyInstance, world: WorkloadWorld): void {
  const surroundings = {
    public_url: world.publicUrl,
    isPlainAllowed: isPlainAllowed(world.workload),
  };
  route(app, world, 'createWorkloadConnection', async ({ tx, caller, body }) => ({
    status: 201,
    body: await createConnection(tx, caller, surroundings, body),
  }));
  route(app, world, 'listWorkloadConnections', async ({ tx, query }) => {
    const { list, ...next } = await listConnections(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'replaceWorkloadConnection', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await replaceConnection(tx, caller, surroundings, params.id, body),
  }));
  route(app, world, 'removeWorkloadConnection', async ({ tx, caller, params }) => {
    await removeConnection(tx, caller, params.id);
    return { status: 204, body: null };
  });
  route(app, world, 'linkWorkloadPerson', async ({ tx, caller, body }) => ({
    status: 201,
    body: await linkPerson(tx, caller, body),
  }));
  route(app, world, 'listWorkloadPeople', async ({ tx, query }) => {
    const { list, ...next } = await listPeople(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'unlinkWorkloadPerson', async ({ tx, caller, params }) => {
    await unlinkPerson(tx, caller, params.id);
    return { status: 204, body: null };
  });
  registerKeyRoutes(app, world);
  registerIssueRoutes(app, world);
}

function registerKeyRoutes(app: FastifyInstance, world: WorkloadWorld): void {
  route(app, world, 'addServiceUserKey', async ({ tx, caller, relations, params, body }) => ({
    status: 201,
    body: await addKey(tx, caller, relations, params.id, body),
  }));
  route(app, world, 'listServiceUserKeys', async ({ tx, caller, relations, params, query }) => {
    const { list, ...next } = await listKeys(tx, caller, relations, params.id, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'removeServiceUserKey', async ({ tx, caller, relations, params }) => {
    await removeKey(tx, caller, relations, params.id, params.key_id);
    return { status: 204, body: null };
  });
}
