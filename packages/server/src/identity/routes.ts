import { toRfc3339 } from '@postern/shared';
import type { FastifyInstance } from 'fastify';
import { type RouteWorld, route } from '../platform/route.ts';
import type { Caller } from './caller.ts';
import { createToken, listTokens, revokeToken } from './service-tokens.ts';

export interface IdentityRouteWorld extends RouteWorld<Caller> {
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
  /** Whether people may have tokens that no login gave them. */
  readonly staticTokens: boolean;
}

/** Tokens. */
export function registerIdentityRoutes(app: FastifyInstance, world: IdentityRouteWorld): void {
  route(app, world, 'createToken', async ({ tx, caller, relations, body }) => {
    // Its end is counted from now: with a wrong clock it would outlive its day.
    world.clock.assertSafe();
    const made = await createToken(tx, caller, relations, body, world);
    return { status: 201, body: { ...made, expires_at: toRfc3339(made.expires_at) } };
  });
  route(app, world, 'listTokens', async ({ tx, caller, relations, query }) => {
    const { list, ...next } = await listTokens(tx, caller, relations, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'revokeToken', async ({ tx, caller, relations, params }) => {
    await revokeToken(tx, caller, relations, params.id);
    return { status: 204, body: null };
  });
}
