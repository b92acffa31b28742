import type { AuthenticationResponseJSON, RegistrationResponseJSON } from '@simplewebauthn/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { normalised, readPassword } from '../credentials/index.ts';
import { Refusal } from '../platform/errors.ts';
import type { Fields } from './form.ts';
import { accountPage } from './page-account.ts';
import { rpOf, waitTexts } from './routes-login.ts';
import {
  arrivalOf,
  assertOwnPage,
  callOf,
  cookiesOf,
  fieldsOf,
  giveCookie,
  goTo,
  type LoginWorld,
  SCHEMA,
  sendJson,
  sendPage,
  textsOf,
} from './routes-page.ts';
import {
  addPasskey,
  addTotp,
  beginPasswordProof,
  beginTotp,
  dropPasskey,
  dropTotp,
  endEverything,
  endOne,
  finishPasswordProof,
  logOut,
  newPasswordOwner,
  type Proved,
  passkeyOptions,
  proveWithCode,
  proveWithPasskey,
  replacePassword,
  viewAccount,
} from './service-account.ts';

const HOME = '/account';
const UUID = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/;

type Handler = (
  request: FastifyRequest,
  reply: FastifyReply,
  fields: Fields,
) => Promise<FastifyReply>;

/** What somebody logs in with, where he is logged in, and the end of it. */
export function registerAccount(scope: FastifyInstance, world: LoginWorld): void {
  const show = showAccount(world);
  /** A form of the page; what is refused is said on the page. */
  const form = (url: string, handler: Handler): void => {
    scope.post(url, { schema: SCHEMA }, async (request, reply) => {
      const fields = fieldsOf(request);
      try {
        assertOwnPage(world, request, 'login', fields.csrf);
        world.clock.assertSafe();
        return await handler(request, reply, fields);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return await show(request, reply, { status: error.status, texts: textsOf(error) });
      }
    });
  };
  const idOf = ({ id = '' }: Fields): string => {
    if (!UUID.test(id)) throw new Refusal('not_found', 'There is no such thing.');
    return id;
  };
  const done = (reply: FastifyReply): FastifyReply => goTo(reply, HOME);
  const fresh = (request: FastifyRequest, reply: FastifyReply, cookie: string): FastifyReply => {
    giveCookie(world, request, reply, 'login', cookie);
    return done(reply);
  };
  const { transact, keyring } = world;

  scope.get(HOME, { schema: SCHEMA }, (request, reply) => show(request, reply));
  form('/account/totp', async (request, reply) => {
    await transact((tx) => beginTotp(tx, keyring, cookiesOf(request)));
    return done(reply);
  });
  form('/account/totp/confirm', async (request, reply, { code = '' }) => {
    const cookie = await transact((tx) => addTotp(tx, keyring, cookiesOf(request), code));
    if (cookie !== undefined) return fresh(request, reply, cookie);
    return show(request, reply, { status: 400, texts: ['The code is not right.'] });
  });
  form('/account/totp/remove', async (request, reply) => {
    await transact((tx) => dropTotp(tx, cookiesOf(request)));
    return done(reply);
  });
  form('/account/passkeys/remove', async (request, reply, fields) => {
    await transact((tx) => dropPasskey(tx, cookiesOf(request), idOf(fields)));
    return done(reply);
  });
  form('/account/end', async (request, reply, fields) => {
    await transact((tx) => endOne(tx, cookiesOf(request), idOf(fields)));
    return done(reply);
  });
  form('/account/end-all', async (request, reply) => {
    await transact((tx) => endEverything(tx, world.hooks, cookiesOf(request)));
    giveCookie(world, request, reply, 'login', undefined);
    return goTo(reply, '/login');
  });
  form('/logout', async (request, reply) => {
    await transact((tx) => logOut(tx, cookiesOf(request)));
    giveCookie(world, request, reply, 'login', undefined);
    return goTo(reply, '/login');
  });
  form('/account/password', async (request, reply, { password = '', again = '' }) => {
    const owner = await transact((tx) => newPasswordOwner(tx, cookiesOf(request)));
    const read = readPassword(password, owner);
    const why = password !== again ? 'The two passwords differ.' : read.ok ? undefined : read.why;
    if (why !== undefined || !read.ok)
      return show(request, reply, { status: 400, texts: [why ?? ''] });
    const hash = await world.passwords.hash(read.password);
    const client = arrivalOf(world, request);
    const cookie = await transact((tx) =>
      replacePassword(tx, world, cookiesOf(request), hash, client),
    );
    return fresh(request, reply, cookie);
  });
  form('/account/proof', async (request, reply, { code, password }) => {
    const proved =
      password === undefined
        ? await codeProof(world, request, code ?? '')
        : await passwordProof(world, request, password);
    if (proved.kind === 'yes') return fresh(request, reply, proved.cookie);
    await recordFailure(world, request, proved);
    const texts = proved.kind === 'wait' ? waitTexts(proved.wait) : ['That is not right.'];
    return show(request, reply, { status: proved.kind === 'wait' ? 429 : 401, texts });
  });
  registerPasskeys(scope, world);
}

const codeProof = (world: LoginWorld, request: FastifyRequest, code: string): Promise<Proved> =>
  world.transact((tx) =>
    proveWithCode(tx, world.keyring, cookiesOf(request), code, arrivalOf(world, request)),
  );

async function passwordProof(
  world: LoginWorld,
  request: FastifyRequest,
  password: string,
): Promise<Proved> {
  const { transact, keyring } = world;
  const cookie = cookiesOf(request);
  const tried = await transact((tx) =>
    beginPasswordProof(tx, keyring, cookie, arrivalOf(world, request)),
  );
  if (!tried.ok) return { kind: 'wait', wait: tried.wait };
  if (!(await world.passwords.matches(tried.kept?.hash, normalised(password))))
    return { kind: 'no', why: 'wrong_password', user: tried.user };
  return await transact((tx) => finishPasswordProof(tx, keyring, cookie, tried));
}

const recordFailure = (
  world: LoginWorld,
  request: FastifyRequest,
  proved: Exclude<Proved, { kind: 'yes' }>,
): Promise<void> =>
  world.failed({
    why: proved.kind === 'wait' ? 'too_many_attempts' : proved.why,
    user: proved.kind === 'wait' ? undefined : proved.user,
    address: request.ip,
  });

/** What the script of passkeys asks and answers. */
function registerPasskeys(scope: FastifyInstance, world: LoginWorld): void {
  const options = (url: string, purpose: 'add' | 'prove'): void => {
    scope.post(url, { schema: SCHEMA }, async (request, reply) => {
      assertOwnPage(world, request, 'login', callOf(request).csrf);
      const rp = rpOf(world);
      const cookie = cookiesOf(request);
      const asked = await world.transact((tx) => passkeyOptions(tx, rp, cookie, purpose));
      return sendJson(reply, 200, asked);
    });
  };
  options('/account/passkeys/options', 'add');
  options('/account/proof/passkey/options', 'prove');
  scope.post('/account/passkeys', { schema: SCHEMA }, async (request, reply) => {
    const { csrf, name = '', response } = callOf(request);
    assertOwnPage(world, request, 'login', csrf);
    const rp = rpOf(world);
    world.clock.assertSafe();
    const answer = { name, response: response as unknown as RegistrationResponseJSON };
    if (response === undefined) throw new Refusal('invalid_request', 'This is not the form.');
    const added = await world.transact((tx) => addPasskey(tx, rp, cookiesOf(request), answer));
    if ('why' in added) return sendJson(reply, 400, { error: added.why });
    giveCookie(world, request, reply, 'login', added.cookie);
    return sendJson(reply, 200, { location: HOME });
  });
  scope.post('/account/proof/passkey', { schema: SCHEMA }, async (request, reply) => {
    const { csrf, response } = callOf(request);
    assertOwnPage(world, request, 'login', csrf);
    const rp = rpOf(world);
    world.clock.assertSafe();
    if (response === undefined) throw new Refusal('invalid_request', 'This is not the form.');
    const answer = response as unknown as AuthenticationResponseJSON;
    const cookie = cookiesOf(request);
    const proved = await world.transact((tx) => proveWithPasskey(tx, rp, cookie, answer));
    if (proved.kind === 'yes') {
      giveCookie(world, request, reply, 'login', proved.cookie);
      return sendJson(reply, 200, { location: HOME });
    }
    await recordFailure(world, request, proved);
    return sendJson(reply, 401, { error: 'This passkey cannot be used here.' });
  });
}

/** The page, or the way to the login. */
const showAccount =
  (world: LoginWorld) =>
  async (
    request: FastifyRequest,
    reply: FastifyReply,
    refused?: { readonly status: number; readonly texts: readonly string[] },
  ): Promise<FastifyReply> => {
    const view = await world
      .transact((tx) => viewAccount(tx, world.keyring, cookiesOf(request)))
      .catch((error: unknown) => {
        if (error instanceof Refusal && error.code === 'unauthenticated') return undefined;
        throw error;
      });
    if (view === undefined) return goTo(reply, `/login?next=${encodeURIComponent(HOME)}`);
    const { login, issuer, ...rest } = view;
    const page = accountPage({
      ...rest,
      person: { login: login.login, name: login.name },
      issuer,
      csrf: login.csrf,
      passkeys: world.rp !== undefined,
      here: login.session_id,
      refused: refused?.texts,
    });
    return sendPage(reply, refused?.status ?? 200, page, world.rp !== undefined);
  };
