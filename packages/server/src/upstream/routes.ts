import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import {
  arrivalOf,
  formOf,
  giveLogin,
  goTo,
  type LoginWorld,
  SCHEMA,
  safeNext,
  sendPage,
  sentBound,
  showError,
} from '../login/index.ts';
import { systemClock } from '../platform/clock.ts';
import { readPerson, readShown } from './claims.ts';
import { readState, STATE_BYTES, secretsOf } from './flow.ts';
import { createProvider, type Provider, ProviderFault } from './jobs-provider.ts';
import type { OidcSettings } from './model.ts';
import { type NotIn, notInPage } from './pages.ts';
import { type LinkWorld, registerIdentityLinkRoutes } from './routes-link.ts';
import { arrive } from './service-arrive.ts';
import { rememberStart, useStart } from './service-start.ts';

const PATH = '/login/oidc';
const CALLBACK = '/login/oidc/callback';
/** Where somebody is who logged in and wanted to go nowhere else. */
const HOME = '/account';

export type UpstreamWorld = Omit<LoginWorld, keyof LinkWorld> &
  LinkWorld & {
    /** Left out: people log in here alone. */
    readonly oidc?: OidcSettings | null | undefined;
    readonly monotonic: () => number;
  };

interface World extends LoginWorld {
  readonly settings: OidcSettings;
  readonly provider: Provider;
  /** Where browsers reach the service: a Host header that was sent must not say it. */
  readonly publicUrl: string;
}

/** What the provider's times are compared with: the machine's, also where ours runs ahead. */
const worldClock = systemClock;

/** Who is who at the provider, and, where there is one, logging in there: there, and back. */
export async function registerUpstreamRoutes(
  app: FastifyInstance,
  about: UpstreamWorld,
): Promise<void> {
  registerIdentityLinkRoutes(app, about);
  const { oidc: settings, publicUrl } = about;
  if (settings == null || publicUrl === undefined) return;
  const provider = createProvider(settings, about.monotonic);
  const world = { ...about, settings, publicUrl, provider };
  await app.register(async (scope) => {
    scope.setErrorHandler(showError);
    scope.get(PATH, { schema: SCHEMA }, (request, reply) => begin(world, request, reply));
    scope.get(CALLBACK, { schema: SCHEMA }, (request, reply) => finish(world, request, reply));
  });
}

const queryOf = (request: FastifyRequest): Readonly<Record<string, unknown>> =>
  request.query as Record<string, unknown>;

async function begin(
  world: World,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  world.clock.assertSafe();
  const { next: wanted, prompt } = queryOf(request);
  const next = typeof wanted === 'string' ? safeNext(wanted) : undefined;
  const fresh = prompt === 'login';
  const cookie = formOf(world, request, reply);
  const state = world.random(STATE_BYTES).toString('base64url');
  const asked_at = worldClock.now();
  const { nonce, verifier } = secretsOf(cookie, state);
  const redirect_uri = world.publicUrl + CALLBACK;
  const url = await orFault(world.provider.begin({ redirect_uri, state, nonce, verifier, fresh }));
  if (url instanceof ProviderFault) return notIn(world, request, reply, url);
  await world.transact((tx) => rememberStart(tx, { state, cookie }, { next, fresh, asked_at }));
  return goTo(reply, url.href);
}

async function finish(
  world: World,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  world.clock.assertSafe();
  const { settings, publicUrl, provider } = world;
  const state = readState(queryOf(request).state);
  const cookie = sentBound(world, request, 'form');
  if (state === undefined || cookie === undefined) return notIn(world, request, reply, 'not_begun');
  const start = await world.transact((tx) => useStart(tx, { state, cookie }));
  if (start === undefined) return notIn(world, request, reply, 'not_begun');
  const redirect_uri = publicUrl + CALLBACK;
  const begun = { redirect_uri, state, ...secretsOf(cookie, state) };
  const answered = await orFault(provider.finish(begun, searchOf(request)));
  if (answered instanceof ProviderFault) return notIn(world, request, reply, answered);
  const said = readPerson(settings.claims, answered.claims);
  const shown = readShown(settings, answered.id_token);
  if (said === undefined || shown === undefined)
    return notIn(world, request, reply, new ProviderFault('invalid', 'claims'));
  const from = arrivalOf(world, request);
  const world_now = worldClock.now();
  const arriving = { settings, start, said, shown, world_now, from };
  const arrived = await world.transact((tx) => arrive(tx, arriving));
  if (arrived.kind === 'no') return notIn(world, request, reply, arrived.why, arrived.user);
  giveLogin(world, request, reply, arrived);
  return goTo(reply, start.next ?? HOME);
}

const searchOf = ({ url }: FastifyRequest): string => {
  const at = url.indexOf('?');
  return at === -1 ? '' : url.slice(at);
};

/** A fault of the provider as a value; anything else is a fault of ours. */
const orFault = <T>(work: Promise<T>): Promise<T | ProviderFault> =>
  work.catch((error: unknown) => {
    if (error instanceof ProviderFault) return error;
    throw error;
  });

async function notIn(
  world: World,
  request: FastifyRequest,
  reply: FastifyReply,
  why: NotIn | ProviderFault,
  user?: { readonly id: string; readonly name: string },
): Promise<FastifyReply> {
  const kind = why instanceof ProviderFault ? why.kind : why;
  const logged = why instanceof ProviderFault ? `oidc_${why.kind}: ${why.why}` : `oidc_${why}`;
  await world.failed({ why: logged, user, address: request.ip });
  const { status, text } = notInPage(kind);
  return sendPage(reply, status, text);
}
