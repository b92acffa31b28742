import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../platform/errors.ts';
import { messagePage, PAGE_HEADERS } from '../platform/page.ts';
import { isOwnForm, readDeviceForm } from './form.ts';
import { codePage, confirmPage } from './pages.ts';
import { FORM_LIMIT } from './routes-form.ts';
import { browserOf, type OauthRouteWorld } from './routes-world.ts';
import { decideDevice, nameOf, viewDevice } from './service-login.ts';
import { readUserCode, userCodeHash } from './user-code.ts';

const send = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).headers(PAGE_HEADERS).send(text);

const WRONG = [
  'Nothing waits under this code: it is mistyped, older than ten minutes, or already answered.',
];
const LATER = messagePage('Too many wrong codes', [
  'Wait ten minutes, then start again: sft login',
]);

/**
 * Where a person allows a program on another machine to be logged in as him. Following the
 * link shows; the form decides, and it comes from this page only (the CSRF token of the
 * browser's login).
 */
export function registerDevice(scope: FastifyInstance, world: OauthRouteWorld): void {
  scope.route({
    method: 'GET',
    url: '/device',
    schema: { hide: true },
    handler: (request, reply) => show(world, request, reply),
  });
  scope.route({
    method: 'POST',
    url: '/device',
    schema: { hide: true },
    bodyLimit: FORM_LIMIT,
    handler: (request, reply) => decide(world, request, reply),
  });
}

async function show(world: OauthRouteWorld, request: FastifyRequest, reply: FastifyReply) {
  const { user_code } = request.query as { user_code?: unknown };
  // Where another site's page leads, nobody typed a code: it is not looked for, nor counted as his.
  const isLed = request.headers['sec-fetch-site'] === 'cross-site';
  const typed = typeof user_code === 'string' ? user_code : undefined;
  const keys = world.keys.user_codes;
  const code = typed === undefined ? undefined : readUserCode(typed);
  const seen = await world.transact(async (tx) => {
    const browser = await browserOf(tx, world, request);
    if (browser === undefined || browser === 'again') return { browser, person: '' };
    if (code === undefined || isLed || !world.attempts.may(browser.user_id))
      return { browser, person: '' };
    const device = await viewDevice(tx, userCodeHash(keys, code));
    return { browser, device, person: await nameOf(tx, browser.user_id) };
  });
  if (seen.browser === undefined || seen.browser === 'again')
    return toLogin(reply, code, seen.browser);
  if (typed === undefined || isLed) return send(reply, 200, codePage(undefined, code));
  if (!world.attempts.may(seen.browser.user_id)) return send(reply, 429, LATER);
  if (code === undefined || seen.device?.kind !== 'waits') {
    world.attempts.failed(seen.browser.user_id);
    return send(reply, 404, codePage(WRONG));
  }
  const { csrf } = seen.browser;
  const { name, address } = seen.device;
  return send(reply, 200, confirmPage({ code, name, address, person: seen.person, csrf }));
}

async function decide(world: OauthRouteWorld, request: FastifyRequest, reply: FastifyReply) {
  const form = readDeviceForm(typeof request.body === 'string' ? request.body : '');
  if (form === undefined) throw new Refusal('invalid_request', 'This is not the form.');
  const code = readUserCode(form.user_code);
  if (form.answer === 'allow') world.clock.assertSafe();
  const done = await world.transact(async (tx) => {
    const browser = await browserOf(tx, world, request);
    if (browser === undefined) return 'nobody';
    if (browser === 'again') return browser;
    if (!isOwnForm(browser, form.csrf)) return 'foreign';
    if (!world.attempts.may(browser.user_id)) return 'later';
    const answer = { browser, allow: form.answer === 'allow', client_address: request.ip };
    if (code === undefined) return browser;
    const hash = userCodeHash(world.keys.user_codes, code);
    return (await decideDevice(tx, hash, answer, world.login)) ? 'done' : browser;
  });
  if (done === 'nobody' || done === 'again') return toLogin(reply, code, done);
  if (done === 'foreign')
    return send(reply, 403, messagePage('This form is not from here', ['Start again: sft login']));
  if (done === 'later') return send(reply, 429, LATER);
  if (done === 'done') return send(reply, 200, form.answer === 'allow' ? ALLOWED : DENIED);
  world.attempts.failed(done.user_id);
  return send(reply, 404, codePage(WRONG));
}

const ALLOWED = messagePage('Logged in', ['Go back to the program. You may close this window.']);
const DENIED = messagePage('Not logged in', [
  'The program is told so. If somebody sent you here, tell your administrators.',
]);

function toLogin(reply: FastifyReply, code: string | undefined, who?: string): FastifyReply {
  const here = code === undefined ? '/oauth/device' : `/oauth/device?user_code=${code}`;
  const again = who === 'again' ? '&prompt=login' : '';
  return reply.redirect(`/login?next=${encodeURIComponent(here)}${again}`, 303);
}
