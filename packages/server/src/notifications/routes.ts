import type { FastifyInstance } from 'fastify';
import { userRef } from '../platform/actor.ts';
import { type RouteCaller, type RouteWorld, route } from '../platform/route.ts';
import { listMessages, retryMessage } from './service-list.ts';

/** What is on its way, and what did not arrive. */
export function registerMessageRoutes<C extends RouteCaller>(
  app: FastifyInstance,
  world: RouteWorld<C>,
): void {
  route(app, world, 'listMessages', async ({ tx, query }) => {
    const { list, ...next } = await listMessages(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'retryMessage', async ({ tx, caller, params }) => ({
    status: 200,
    body: await retryMessage(tx, userRef(caller), params.id),
  }));
}
