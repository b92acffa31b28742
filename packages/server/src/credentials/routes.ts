import { toRfc3339 } from '@postern/shared';
import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import { type CredentialHooks, createInvitation, resetFactors } from './service-invitations.ts';

export interface CredentialRouteWorld extends RouteWorld<Caller> {
  /** Where a browser reaches the service. */
  readonly publicUrl: string | undefined;
  readonly hooks: CredentialHooks;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
}

/** What a pam_admin does to what others log in with. */
export function registerCredentialRoutes(app: FastifyInstance, world: CredentialRouteWorld): void {
  route(app, world, 'createInvitation', async ({ tx, caller, params }) => {
    world.clock.assertSafe();
    const { code, expires_at } = await createInvitation(tx, caller, params.id);
    const url = world.publicUrl === undefined ? null : `${world.publicUrl}/invite/${code}`;
    return { status: 201, body: { code, url, expires_at: toRfc3339(expires_at) } };
  });
  route(app, world, 'resetFactors', async ({ tx, caller, params }) => {
    await resetFactors(tx, caller, world.hooks, params.id);
    return { status: 204, body: null };
  });
}
