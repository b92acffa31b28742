import { timingSafeEqual } from 'node:crypto';
import { printable } from '@postern/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { CredentialHooks, RelyingParty } from '../credentials/index.ts';
import { Refusal } from '../platform/errors.ts';
import { notTheForm, takeForms } from '../platform/forms.ts';
import { messagePage, PAGE_HEADERS, SCRIPT_PAGE_HEADERS } from '../platform/page.ts';
import type { PasswordHasher } from '../platform/password-hash.ts';
import { toProblem } from '../platform/problem.ts';
import type { Transact } from '../platform/tx.ts';
import type { Keyring } from '../vault/index.ts';
import { type CookieName, cookieOf, csrfOf, setCookie } from './cookie.ts';
import type { Failed } from './failure.ts';
import { type Fields, type PasskeyCall, parseFields, readPasskeyCall } from './form.ts';
import { isOwnPage } from './origin.ts';
import type { Arrival } from './service-login.ts';

export interface LoginWorld {
  readonly transact: Transact;
  readonly keyring: Keyring;
  readonly hooks: CredentialHooks;
  readonly passwords: PasswordHasher;
  /** Where a browser reaches the service; undefined: where it says that it does. */
  readonly publicUrl: string | undefined;
  /** undefined: browsers offer no passkeys here. */
  readonly rp: RelyingParty | undefined;
  /** Where else people log in: what the page calls it; undefined: nowhere. */
  readonly upstreamName?: string | undefined;
  /** From the system's generator. */
  readonly random: (bytes: number) => Buffer;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
  failed(failed: Failed): Promise<void>;
}

const BODY_LIMIT = 64 * 1024;
export const SCHEMA = { hide: true };
const COOKIE_BYTES = 32;
/** As long as a device counts as one from which somebody logged in. */
const DEVICE_SECONDS = 90 * 86_400;

/** Forms, and what the script of passkeys sends; nothing else is taken in this scope. */
export function takeFormsAndCalls(scope: FastifyInstance): void {
  const limit = { bodyLimit: BODY_LIMIT };
  takeForms(scope, parseFields, limit);
  scope.addContentTypeParser<string>(
    'application/json',
    { parseAs: 'string', ...limit },
    scope.getDefaultJsonParser('error', 'error'),
  );
}

export const fieldsOf = (request: FastifyRequest): Fields => {
  const { body } = request;
  if (!isForm(request) || body === undefined) throw notTheForm();
  return body as Fields;
};

export function callOf(request: FastifyRequest): PasskeyCall {
  const call = isForm(request) ? undefined : readPasskeyCall(request.body);
  if (call === undefined) throw notTheForm();
  return call;
}

const isForm = (request: FastifyRequest): boolean =>
  /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '');

export const cookiesOf = (request: FastifyRequest): string | undefined => request.headers.cookie;

const isSecure = (
  { publicUrl }: Pick<LoginWorld, 'publicUrl'>,
  request: FastifyRequest,
): boolean =>
  publicUrl === undefined ? request.protocol === 'https' : publicUrl.startsWith('https:');

const ownOrigin = (
  { publicUrl }: Pick<LoginWorld, 'publicUrl'>,
  request: FastifyRequest,
): string =>
  publicUrl === undefined ? `${request.protocol}://${request.host}` : new URL(publicUrl).origin;

/** From where somebody comes, and what his device is called from now on. */
export function arrivalOf(world: LoginWorld, request: FastifyRequest): Arrival {
  return {
    address: request.ip,
    user_agent: printable(request.headers['user-agent'] ?? '').slice(0, 200),
    secure: isSecure(world, request),
    device: sentBound(world, request, 'device') ?? null,
    new_device: world.random(COOKIE_BYTES).toString('base64url'),
  };
}

/** @param value undefined: it is taken away. */
export function giveCookie(
  world: Pick<LoginWorld, 'publicUrl'>,
  request: FastifyRequest,
  reply: FastifyReply,
  name: CookieName,
  value: string | undefined,
): void {
  const secure = isSecure(world, request);
  const seconds = value === undefined ? 0 : name === 'device' ? DEVICE_SECONDS : null;
  reply.header('set-cookie', setCookie(name, value ?? '', { secure, seconds }));
}

/** Logged in: the login's cookie is new, and what the forms before it were bound to is over. */
export function giveLogin(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
  given: { readonly login: string; readonly device: string },
): void {
  giveCookie(world, request, reply, 'login', given.login);
  giveCookie(world, request, reply, 'device', given.device);
  giveCookie(world, request, reply, 'form', undefined);
}

type Bound = Pick<LoginWorld, 'publicUrl' | 'random'>;

/** What the forms of this browser are bound to before a login; it is given one where it has none. */
export const formOf = (world: Bound, request: FastifyRequest, reply: FastifyReply): string =>
  boundOf(world, request, reply, 'form');

/** What tells this browser from others, whoever is logged in; it is given one where it has none. */
export function boundOf(
  world: Bound,
  request: FastifyRequest,
  reply: FastifyReply,
  name: 'form' | 'program',
): string {
  const sent = sentBound(world, request, name);
  if (sent !== undefined) return sent;
  const value = world.random(COOKIE_BYTES).toString('base64url');
  giveCookie(world, request, reply, name, value);
  return value;
}

/** What the browser was given, under the name that nobody else can set. */
export function sentBound(
  world: Pick<LoginWorld, 'publicUrl'>,
  request: FastifyRequest,
  name: 'form' | 'program' | 'device',
): string | undefined {
  const sent = cookieOf(cookiesOf(request), name);
  return sent?.secure === isSecure(world, request) ? sent.value : undefined;
}

const MIXED = 'This did not come from a page that this browser has open.';

/**
 * Whether a page of ours sent it, in this browser: by what the browser says of the page, and by
 * the text that only a page of ours knows.
 *
 * @param name which cookie the page's text belongs to
 * @returns that cookie's value
 * @throws Refusal `not_permitted`
 */
export function assertOwnPage(
  world: Pick<LoginWorld, 'publicUrl'>,
  request: FastifyRequest,
  name: 'form' | 'login',
  csrf: string | undefined,
): string {
  const claims = {
    origin: request.headers.origin,
    sec_fetch_site: request.headers['sec-fetch-site'] as string | undefined,
  };
  const cookie = cookieOf(cookiesOf(request), name);
  if (
    cookie === undefined ||
    cookie.secure !== isSecure(world, request) ||
    !isOwnPage(claims, ownOrigin(world, request)) ||
    !isSame(csrfOf(cookie.value), csrf ?? '')
  )
    throw new Refusal('not_permitted', MIXED, { next: 'Open the page again, then try once more.' });
  return cookie.value;
}

function isSame(a: string, b: string): boolean {
  const [x, y] = [Buffer.from(a), Buffer.from(b)];
  return x.length === y.length && timingSafeEqual(x, y);
}

/** @param scripted whether the page loads the script of passkeys */
export const sendPage = (
  reply: FastifyReply,
  status: number,
  text: string,
  scripted = false,
): FastifyReply =>
  reply
    .code(status)
    .headers(scripted ? SCRIPT_PAGE_HEADERS : PAGE_HEADERS)
    .send(text);

export const goTo = (reply: FastifyReply, location: string): FastifyReply =>
  reply.code(303).headers(PAGE_HEADERS).header('location', location).send('');

/** For the script of passkeys. */
export const sendJson = (reply: FastifyReply, status: number, body: object): FastifyReply =>
  reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(body);

export const textsOf = ({ detail, next }: Refusal): string[] =>
  next === undefined ? [detail] : [detail, next];

/** What the framework, a use case or a fault of ours refuses. */
export function showError(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const [problem, fault] = toProblem(error, request.id);
  if (fault === 'ours')
    request.log.error({ trace_id: request.id, err: error, code: problem.code }, 'request failed');
  const { title, detail, status, trace_id, code } = problem;
  const said = OWN_WORDS[code] ?? detail;
  if (request.headers['content-type']?.startsWith('application/json') === true)
    return sendJson(reply, status, { error: said });
  const next = error instanceof Refusal && error.next !== undefined ? [error.next] : [];
  return sendPage(reply, status, messagePage(title, [said, ...next, `(${trace_id})`]));
}

/** Where what the API says is about JSON. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  body_too_large: 'More was sent than the form can hold.',
  unsupported_media_type: 'This page takes its own form only.',
};
