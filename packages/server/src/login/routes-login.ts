import type { AuthenticationResponseJSON } from '@simplewebauthn/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { LONGEST_INPUT, normalised } from '../credentials/index.ts';
import { Refusal } from '../platform/errors.ts';
import { cookieOf, csrfOf } from './cookie.ts';
import { safeNext } from './next.ts';
import { factorPage, goOnPage, loginPage, SCRIPT_PATH } from './pages.ts';
import { PASSKEY_SCRIPT } from './passkey-script.ts';
import {
  arrivalOf,
  assertOwnPage,
  callOf,
  cookiesOf,
  fieldsOf,
  formOf,
  giveCookie,
  giveLogin,
  goTo,
  type LoginWorld,
  SCHEMA,
  sendJson,
  sendPage,
  textsOf,
} from './routes-page.ts';
import {
  beginPassword,
  finishCode,
  finishPasskey,
  finishPassword,
  passkeyQuestion,
  pendingOf,
  type Step,
} from './service-login.ts';
import { browserLoginOf } from './service-sessions.ts';

/** Where somebody is who logged in and wanted to go nowhere else. */
const HOME = '/account';
/** One answer, whoever it is and whatever was wrong. */
const WRONG = 'The login or the password is not right.';
const WRONG_CODE = 'The code is not right, or it was used before: wait for the next one.';

export function registerLogin(scope: FastifyInstance, world: LoginWorld): void {
  scope.route({
    method: ['GET', 'HEAD'],
    url: SCRIPT_PATH,
    schema: SCHEMA,
    handler: (_request, reply) =>
      reply
        .headers({ 'content-type': 'text/javascript; charset=utf-8', 'cache-control': 'no-cache' })
        .send(PASSKEY_SCRIPT),
  });
  scope.route({
    method: ['GET', 'HEAD'],
    url: '/login',
    schema: SCHEMA,
    handler: (request, reply) => show(world, request, reply),
  });
  scope.post('/login', { schema: SCHEMA }, (request, reply) => withPassword(world, request, reply));
  scope.get('/login/factor', { schema: SCHEMA }, (request, reply) =>
    showFactor(world, request, reply, nextIn(request)),
  );
  scope.post('/login/factor', { schema: SCHEMA }, (request, reply) =>
    withCode(world, request, reply),
  );
  scope.post('/login/passkey/options', { schema: SCHEMA }, async (request, reply) => {
    const { csrf } = callOf(request);
    const form = assertOwnPage(world, request, 'form', csrf);
    const rp = rpOf(world);
    return sendJson(reply, 200, await world.transact((tx) => passkeyQuestion(tx, rp, form)));
  });
  scope.post('/login/passkey', { schema: SCHEMA }, (request, reply) =>
    withPasskey(world, request, reply),
  );
}

export function rpOf({ rp }: LoginWorld) {
  if (rp === undefined)
    throw new Refusal('state_conflict', 'Passkeys cannot be used here.', {
      next: 'They need public_url to be https with a host name.',
    });
  return rp;
}

const queryOf = (request: FastifyRequest): Record<string, unknown> =>
  request.query as Record<string, unknown>;
const nextIn = (request: FastifyRequest): string | undefined => {
  const { next } = queryOf(request);
  return typeof next === 'string' ? safeNext(next) : undefined;
};

/** Whoever is logged in goes on, unless he is to log in once more (`prompt=login`). */
async function show(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const next = nextIn(request);
  const again = queryOf(request).prompt === 'login';
  const login = again
    ? undefined
    : await world.transact((tx) => browserLoginOf(tx, cookiesOf(request)));
  if (login !== undefined) return goTo(reply, next ?? HOME);
  const invited = queryOf(request).from === 'invitation';
  return showLogin(world, request, reply, { status: 200, next, again, invited });
}

function showLogin(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
  about: {
    readonly status: number;
    readonly next: string | undefined;
    readonly login?: string | undefined;
    readonly again?: boolean;
    readonly invited?: boolean;
    readonly refused?: readonly string[];
  },
): FastifyReply {
  const csrf = csrfOf(formOf(world, request, reply));
  const passkeys = world.rp !== undefined;
  return sendPage(
    reply,
    about.status,
    loginPage({ ...about, csrf, passkeys, upstream: world.upstreamName }),
    passkeys,
  );
}

async function withPassword(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { csrf, login = '', password = '', next: wanted } = fieldsOf(request);
  const next = safeNext(wanted);
  const no = (status: number, refused: readonly string[]): FastifyReply =>
    showLogin(world, request, reply, { status, next, login: login.slice(0, 200), refused });
  try {
    assertOwnPage(world, request, 'form', csrf);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return no(error.status, textsOf(error));
  }
  world.clock.assertSafe();
  const from = arrivalOf(world, request);
  const tried = await world.transact((tx) => beginPassword(tx, world.keyring, login, from));
  const { address } = from;
  if (!tried.ok) {
    await world.failed({ why: 'too_many_attempts', address });
    return no(429, waitTexts(tried.wait));
  }
  const { user, kept } = tried;
  const text = password.length > LONGEST_INPUT ? '' : normalised(password);
  const right = await world.passwords.matches(kept?.hash, text);
  const step: Step =
    right && user !== undefined && kept !== undefined
      ? await world.transact((tx) => finishPassword(tx, { ...tried, kept }, user.id, from))
      : { kind: 'no', why: user === undefined ? 'unknown_login' : 'wrong_password' };
  if (step.kind === 'factor') {
    giveCookie(world, request, reply, 'form', step.form);
    return goTo(
      reply,
      `/login/factor${next === undefined ? '' : `?next=${encodeURIComponent(next)}`}`,
    );
  }
  if (step.kind === 'in') return arrived(world, request, reply, step, next);
  await world.failed({ why: 'why' in step ? step.why : 'too_many_attempts', user, address });
  return no(401, [WRONG]);
}

export const waitTexts = (seconds: number): string[] => [
  'Too many attempts were wrong.',
  `Wait ${seconds < 90 ? `${seconds} seconds` : `${Math.ceil(seconds / 60)} minutes`}, then try again.`,
];

function arrived(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
  step: Step & { readonly kind: 'in' },
  next: string | undefined,
): FastifyReply {
  giveLogin(world, request, reply, step);
  // See goOnPage: the authorization server goes on to another origin.
  if (next?.startsWith('/oauth')) return sendPage(reply, 200, goOnPage(next));
  return goTo(reply, next ?? HOME);
}

async function showFactor(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
  next: string | undefined,
  refused?: { readonly status: number; readonly texts: readonly string[] },
): Promise<FastifyReply> {
  const form = cookieOf(cookiesOf(request), 'form')?.value;
  const pending =
    form === undefined ? undefined : await world.transact((tx) => pendingOf(tx, form));
  if (form === undefined || pending === undefined)
    return showLogin(world, request, reply, {
      status: refused?.status ?? 200,
      next,
      refused: ['The password was shown too long ago.', 'Begin again.'],
    });
  const passkeys = world.rp !== undefined && pending.methods.passkeys.length > 0;
  const { totp } = pending.methods;
  const csrf = csrfOf(form);
  const about = { csrf, next, totp, passkeys, refused: refused?.texts };
  return sendPage(reply, refused?.status ?? 200, factorPage(about), passkeys);
}

async function withCode(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { csrf, code = '', next: wanted } = fieldsOf(request);
  const next = safeNext(wanted);
  const form = assertOwnPage(world, request, 'form', csrf);
  world.clock.assertSafe();
  const from = arrivalOf(world, request);
  const step = await world.transact((tx) => finishCode(tx, world.keyring, { form, code }, from));
  if (step.kind === 'in') return arrived(world, request, reply, step, next);
  const waits = step.kind === 'wait';
  const why = step.kind === 'no' ? step.why : 'too_many_attempts';
  const user = step.kind === 'no' ? step.user : undefined;
  await world.failed({ why, user, address: from.address });
  const texts = waits ? waitTexts(step.wait) : [WRONG_CODE];
  return showFactor(world, request, reply, next, { status: waits ? 429 : 401, texts });
}

async function withPasskey(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { csrf, next, response } = callOf(request);
  const form = assertOwnPage(world, request, 'form', csrf);
  const rp = rpOf(world);
  world.clock.assertSafe();
  const from = arrivalOf(world, request);
  const answer = { form, response: response as unknown as AuthenticationResponseJSON };
  if (response === undefined) throw new Refusal('invalid_request', 'This is not the form.');
  const step = await world.transact((tx) => finishPasskey(tx, rp, answer, from));
  if (step.kind === 'in') {
    giveLogin(world, request, reply, step);
    return sendJson(reply, 200, { location: safeNext(next) ?? HOME });
  }
  const { why, user } = step.kind === 'no' ? step : { why: step.kind, user: undefined };
  await world.failed({ why, user, address: from.address });
  return sendJson(reply, 401, { error: 'This passkey cannot be used here.' });
}
