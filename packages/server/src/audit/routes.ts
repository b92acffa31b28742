import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import { listAuditEvents } from './service.ts';

/** The log, for auditors. */
export function registerAuditRoutes(app: FastifyInstance, world: RouteWorld<Caller>): void {
  route(app, world, 'listAuditEvents', async ({ tx, query }) => {
    const { list, ...next } = await listAuditEvents(tx, query);
    return { status: 200, body: { list }, ...next };
  });
}
