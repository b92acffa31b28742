import type { FastifyInstance } from 'fastify';
import type { CredentialHooks } from '../credentials/index.ts';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import { linkIdentity, unlinkIdentity } from './service-link.ts';

export interface LinkWorld extends RouteWorld<Caller> {
  readonly hooks: CredentialHooks;
}

/** What a pam_admin says of who somebody is at the provider. */
export function registerIdentityLinkRoutes(app: FastifyInstance, world: LinkWorld): void {
  route(app, world, 'linkIdentity', async ({ tx, caller, params, body }) => {
    await linkIdentity(tx, caller, world.hooks, params.id, body);
    return { status: 204, body: null };
  });
  route(app, world, 'unlinkIdentity', async ({ tx, caller, params }) => {
    await unlinkIdentity(tx, caller, world.hooks, params.id);
    return { status: 204, body: null };
  });
}
