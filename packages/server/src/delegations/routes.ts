import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { cutPage, pageOf } from '../platform/paging.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import { createDelegation, endDelegation, listDelegations } from './service.ts';

/** Who decides in whose place, and until when. */
export function registerDelegationRoutes(app: FastifyInstance, world: RouteWorld<Caller>): void {
  route(app, world, 'listDelegations', async ({ tx, caller, relations, query }) => {
    const rows = await listDelegations(tx, caller, relations, query);
    const { list, ...next } = cutPage(rows, pageOf(query));
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'createDelegation', async ({ tx, caller, relations, body }) => ({
    status: 201,
    body: await createDelegation(tx, caller, relations, body),
  }));
  route(app, world, 'endDelegation', async ({ tx, caller, relations, params }) => {
    await endDelegation(tx, caller, relations, params.id);
    return { status: 204, body: null };
  });
}
