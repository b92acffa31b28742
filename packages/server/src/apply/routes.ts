import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import { type ApplyTools, apply } from './service.ts';

export interface ApplyWorld extends RouteWorld<Caller>, ApplyTools {}

/** The world as documents. */
export function registerApplyRoutes(app: FastifyInstance, world: ApplyWorld): void {
  route(app, world, 'apply', async ({ tx, caller, body }) => ({
    status: 200,
    body: await apply(tx, caller, world, body),
  }));
}
