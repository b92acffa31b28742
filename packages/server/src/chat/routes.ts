import type { FastifyInstance } from 'fastify';
import type { Caller } from '../identity/index.ts';
import { Refusal } from '../platform/errors.ts';
import { type RouteWorld, route } from '../platform/route.ts';
import type { SlackSettings } from './model.ts';
import { createChatLink, deleteChatLink, listChatLinks } from './service-links.ts';

export interface ChatRouteWorld extends RouteWorld<Caller> {
  /** null: there is no chat. */
  readonly slack: SlackSettings | null;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
}

/** Links between people and their accounts in the chat, for whoever is logged in. */
export function registerChatRoutes(app: FastifyInstance, world: ChatRouteWorld): void {
  route(app, world, 'createChatLink', async ({ tx, caller }) => {
    if (world.slack === null)
      throw new Refusal('state_conflict', 'No chat is set up here.', {
        next: 'Whoever runs the service sets it up: see docs/guides/slack.md.',
      });
    // The code's end is counted from now: with a wrong clock it would outlive its minutes.
    world.clock.assertSafe();
    return { status: 201, body: await createChatLink(tx, caller) };
  });
  route(app, world, 'listChatLinks', async ({ tx, caller, relations, query }) => {
    const { list, ...next } = await listChatLinks(tx, caller, relations, query);
    return { status: 200, body: { list }, ...next };
  });
  route(app, world, 'deleteChatLink', async ({ tx, caller, relations, params }) => {
    await deleteChatLink(tx, caller, relations, params.id);
    return { status: 204, body: null };
  });
}
