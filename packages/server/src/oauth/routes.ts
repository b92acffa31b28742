import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { boundOf, hashOfCookie } from '../login/index.ts';
import { messagePage, PAGE_HEADERS } from '../platform/page.ts';
import { toProblem } from '../platform/problem.ts';
import { isSafe } from '../platform/sweep.ts';
import { createAttempts } from './attempts.ts';
import { BEGUN, writeBegun } from './begun.ts';
import { FORWARDED } from './configuration.ts';
import { oauthKeys } from './keys.ts';
import { registerDevice } from './routes-device.ts';
import { takeForms } from './routes-form.ts';
import { registerInteraction } from './routes-interaction.ts';
import { createProvider, handOver } from './routes-provider.ts';
import type { OauthRouteWorld, OauthWorld } from './routes-world.ts';

const PREFIX = '/oauth';

/** Of one address in a minute: each of these makes a row that stays for minutes. */
const RATE = { max: 60, timeWindow: 60_000 };

/**
 * The authorization server under `/oauth`: oidc-provider for the protocol, and two pages of
 * our own. What it offers beside {@link FORWARDED} is not reached.
 */
export async function registerOauth(app: FastifyInstance, world: OauthWorld): Promise<void> {
  const routeWorld: OauthRouteWorld = {
    ...world,
    provider: once(() => createProvider(new URL(PREFIX.slice(1), base(world.publicUrl())), world)),
    keys: oauthKeys(world.keyring),
    attempts: createAttempts(world.monotonic),
    login: { login_seconds: world.oauth.login_seconds, recordProof: world.recordProof },
  };
  await app.register(
    async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.setErrorHandler(showError);
      await scope.register(async (pages) => {
        takeForms(pages);
        registerInteraction(pages, routeWorld);
        registerDevice(pages, routeWorld);
      });
      await scope.register(async (forwarded) => registerForwarded(forwarded, routeWorld));
    },
    { prefix: PREFIX },
  );
}

const base = (url: string): string => (url.endsWith('/') ? url : `${url}/`);

function registerForwarded(scope: FastifyInstance, world: OauthRouteWorld): void {
  // The body is for oidc-provider to read: here it is left in its stream.
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
  for (const [method, url] of FORWARDED)
    scope.route({
      method,
      url,
      schema: { hide: true },
      config: { rateLimit: RATE },
      handler: async (request, reply) => {
        // Its life would be counted by a clock that is wrong; and what is over by a right one revived.
        if (ISSUING.includes(url) && !isSafe(world.clock)) return unavailable(reply);
        const provider = await world.provider();
        const path = pathOf(world, url, request, reply);
        reply.hijack();
        for (const [name, value] of Object.entries(reply.getHeaders()))
          if (value !== undefined) reply.raw.setHeader(name, value);
        handOver(
          provider,
          { request: request.raw, response: reply.raw },
          { path, address: request.ip },
        );
      },
    });
}

const ISSUING: readonly string[] = ['/token', '/device/auth'];

/** Before anything is used up: whoever comes again when it is over loses nothing. */
const unavailable = (reply: FastifyReply): FastifyReply =>
  reply
    .code(503)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ error: 'temporarily_unavailable' }));

/** What oidc-provider is asked; an authorization with the browser that begins it. */
function pathOf(
  world: OauthWorld,
  url: string,
  request: FastifyRequest,
  reply: FastifyReply,
): string {
  const path = request.url.slice(PREFIX.length);
  if (url !== '/auth') return path;
  const { random } = world;
  const cookie = boundOf({ publicUrl: world.publicUrl(), random }, request, reply, 'program');
  const begun = writeBegun({ browser: hashOfCookie('program', cookie), at: world.now() });
  const [before, ...query] = path.split('?');
  // First: whatever a client sends comes after it, and is refused where it has the same name.
  return `${before}?${[`${BEGUN}=${begun}`, query.join('?')].join('&')}`;
}

/** Made when it is first asked for; where that fails, again when it is asked for again. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

function showError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [problem, fault] = toProblem(error, request.id);
  if (fault === 'ours')
    request.log.error({ trace_id: request.id, err: error, code: problem.code }, 'request failed');
  const { title, detail, next, status, trace_id } = problem;
  return reply
    .code(status)
    .headers(PAGE_HEADERS)
    .send(messagePage(title, [detail, next ?? 'Start again: sft login', `(${trace_id})`]));
}
