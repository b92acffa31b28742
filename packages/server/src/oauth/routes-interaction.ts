import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errors } from 'oidc-provider';
import { messagePage, PAGE_HEADERS } from '../platform/page.ts';
import { UNCLAIMED_SECONDS } from './model.ts';
import { onwardPage } from './pages.ts';
import type { OauthRouteWorld } from './routes-world.ts';
import { beginLogin, interactionResult } from './service-login.ts';

const EXPIRED = messagePage('This login is over', [
  'It took too long, it was finished before, or it was started in another browser.',
  'Start it again in the program: sft login',
]);

const page = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).headers(PAGE_HEADERS).send(text);

/**
 * Where a login by loopback waits for its person. Whoever is logged in in this browser goes
 * on at once: the program is ours, and the answer goes to his own machine only.
 */
export function registerInteraction(scope: FastifyInstance, world: OauthRouteWorld): void {
  scope.route({
    method: 'GET',
    url: '/interaction/:uid',
    schema: { hide: true },
    handler: (request, reply) => interact(world, request, reply),
  });
}

async function interact(
  world: OauthRouteWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const provider = await world.provider();
  const interaction = await provider
    .interactionDetails(request.raw, reply.raw)
    .catch((error: unknown) => {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    });
  const { uid } = request.params as { uid: string };
  if (interaction?.uid !== uid) return page(reply, 400, EXPIRED);
  if (interaction.result !== undefined) return page(reply, 200, onwardPage(interaction.returnTo));
  world.clock.assertSafe();
  const begun = await world.transact(async (tx) => {
    const browser = await world.browserLoginOf(tx, request.headers.cookie);
    if (browser === undefined) return undefined;
    const from = {
      device: interaction.params.device_name,
      client_address: request.ip,
      waits: UNCLAIMED_SECONDS,
    };
    const token_id = await beginLogin(tx, browser, from, world.login);
    return token_id === undefined ? undefined : interactionResult(browser, token_id);
  });
  if (begun === undefined)
    return await reply.redirect(
      `/login?next=${encodeURIComponent(`/oauth/interaction/${uid}`)}`,
      303,
    );
  return page(
    reply,
    200,
    onwardPage(await provider.interactionResult(request.raw, reply.raw, begun)),
  );
}
