import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { userRef } from '../platform/actor.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import type { Keyring } from '../vault/index.ts';
import type { PushSettings } from './model.ts';
import { listPushes, retryPush } from './service-pushes.ts';
import { createTarget, listTargets, removeTarget, setGroups } from './service-targets.ts';

export interface PushRouteWorld extends RouteWorld<Caller> {
  readonly keyring: Keyring;
  readonly push: PushSettings;
}

/** Targets of group push, and what became of what they were told. */
export function registerPushRoutes(app: FastifyInstance, world: PushRouteWorld): void {
  const { keyring, push: settings } = world;
  route(app, world, 'createPushTarget', async ({ tx, caller, body }) => ({
    status: 201,
    body: await createTarget(tx, caller, { keyring, settings }, body),
  }));
  route(app, world, 'listPushTargets', async ({ tx, query }) => {
    const { list, ...next } = await listTargets(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'setPushGroups', async ({ tx, caller, params, body }) => ({
    status: 200,
    body: await setGroups(tx, caller, params.id, body.groups),
  }));
  route(app, world, 'removePushTarget', async ({ tx, caller, params }) => {
    await removeTarget(tx, caller, params.id);
    return { status: 204, body: null };
  });
  route(app, world, 'listPushes', async ({ tx, query }) => {
    const { list, ...next } = await listPushes(tx, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'retryPush', async ({ tx, caller, params }) => ({
    status: 200,
    body: await retryPush(tx, userRef(caller), params.id),
  }));
}
