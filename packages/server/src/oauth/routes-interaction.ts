import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { errors } from 'oidc-provider';
import { hashOfCookie, sentBound } from '../login/index.ts';
import { Refusal } from '../platform/errors.ts';
import { messagePage, PAGE_HEADERS } from '../platform/page.ts';
import type { Tx } from '../platform/tx.ts';
import { isTooOld, readBegun } from './begun.ts';
import { isOwnForm, readAnswerForm } from './form.ts';
import { type BrowserLogin, UNCLAIMED_SECONDS } from './model.ts';
import { confirmLocalPage, onwardPage } from './pages.ts';
import { FORM_LIMIT } from './routes-form.ts';
import { browserOf, type OauthRouteWorld } from './routes-world.ts';
import { beginLogin, interactionResult, loginName, nameOf } from './service-login.ts';

const EXPIRED = messagePage('This login is over', [
  'It took too long, it was finished before, or it was started in another browser.',
  'Start it again in the program: sft login',
]);
const FOREIGN = messagePage('This form is not from here', ['Start again: sft login']);

const page = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).headers(PAGE_HEADERS).send(text);

/**
 * Where a login by loopback waits for its person. Following the address shows; the form decides.
 * That the answer goes to the machine of this browser says little: others may listen there, be
 * it another user of it, or a host whose ports are forwarded to it (RFC 8252, 8.6).
 */
export function registerInteraction(scope: FastifyInstance, world: OauthRouteWorld): void {
  const url = '/interaction/:uid';
  const schema = { hide: true };
  scope.get(url, { schema }, (request, reply) => show(world, request, reply));
  scope.post(url, { schema, bodyLimit: FORM_LIMIT }, (request, reply) =>
    decide(world, request, reply),
  );
}

/** What this browser began and has not finished. */
async function waiting(world: OauthRouteWorld, request: FastifyRequest, reply: FastifyReply) {
  const provider = await world.provider();
  const interaction = await provider
    .interactionDetails(request.raw, reply.raw)
    .catch((error: unknown) => {
      if (error instanceof errors.SessionNotFound) return undefined;
      throw error;
    });
  const { uid } = request.params as { uid: string };
  if (interaction?.uid !== uid) return undefined;
  const begun = readBegun(interaction.params.begun);
  const cookie = sentBound({ publicUrl: world.publicUrl() }, request, 'program');
  // Its own cookies could have been planted, with those of whoever began it elsewhere.
  if (begun === undefined || cookie === undefined) return undefined;
  if (begun.browser !== hashOfCookie('program', cookie)) return undefined;
  return { provider, interaction, begun_at: begun.at };
}
type Waiting = NonNullable<Awaited<ReturnType<typeof waiting>>>;

/** Who is logged in in this browser, and lately enough; `again`: not lately enough. */
async function personOf(
  tx: Tx,
  world: OauthRouteWorld,
  request: FastifyRequest,
  { interaction, begun_at }: Waiting,
): Promise<BrowserLogin | 'again' | undefined> {
  const browser = await browserOf(tx, world, request);
  if (browser === undefined || browser === 'again') return browser;
  return isTooOld(interaction.params, begun_at, browser.auth_time) ? 'again' : browser;
}

function toLogin(reply: FastifyReply, { interaction }: Waiting, again: boolean): FastifyReply {
  const next = encodeURIComponent(`/oauth/interaction/${interaction.uid}`);
  return reply.redirect(`/login?next=${next}${again ? '&prompt=login' : ''}`, 303);
}

async function show(world: OauthRouteWorld, request: FastifyRequest, reply: FastifyReply) {
  const about = await waiting(world, request, reply);
  if (about === undefined) return page(reply, 400, EXPIRED);
  const { params, result, returnTo } = about.interaction;
  if (result !== undefined) return page(reply, 200, onwardPage(returnTo));
  const seen = await world.transact(async (tx) => {
    const browser = await personOf(tx, world, request, about);
    if (browser === undefined || browser === 'again') return browser;
    return { csrf: browser.csrf, person: await nameOf(tx, browser.user_id) };
  });
  if (seen === undefined || seen === 'again') return toLogin(reply, about, seen === 'again');
  const { host } = new URL(String(params.redirect_uri));
  const name = loginName(params.device_name);
  return page(reply, 200, confirmLocalPage({ ...seen, name, port: host }));
}

async function decide(world: OauthRouteWorld, request: FastifyRequest, reply: FastifyReply) {
  const form = readAnswerForm(typeof request.body === 'string' ? request.body : '');
  if (form === undefined) throw new Refusal('invalid_request', 'This is not the form.');
  const about = await waiting(world, request, reply);
  if (about === undefined) return page(reply, 400, EXPIRED);
  const { provider, interaction } = about;
  if (interaction.result !== undefined) return page(reply, 200, onwardPage(interaction.returnTo));
  if (form.answer === 'allow') world.clock.assertSafe();
  const done = await world.transact(async (tx) => {
    const browser = await personOf(tx, world, request, about);
    if (browser === undefined || browser === 'again') return browser;
    if (!isOwnForm(browser, form.csrf)) return 'foreign';
    if (form.answer === 'deny') return { error: 'access_denied' };
    const from = {
      device: interaction.params.device_name,
      client_address: request.ip,
      waits: UNCLAIMED_SECONDS,
    };
    const token_id = await beginLogin(tx, browser, from, world.login);
    return token_id === undefined ? undefined : interactionResult(browser, token_id);
  });
  if (done === 'foreign') return page(reply, 403, FOREIGN);
  if (done === undefined || done === 'again') return toLogin(reply, about, done === 'again');
  return page(
    reply,
    200,
    onwardPage(await provider.interactionResult(request.raw, reply.raw, done)),
  );
}
