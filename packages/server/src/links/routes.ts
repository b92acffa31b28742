import { operations, PROBLEMS, type Relation } from '@postern/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, callerByBrowser } from '../identity/index.ts';
import { assertOwnPage, browserLoginOf } from '../login/index.ts';
import { bearer } from '../platform/credentials.ts';
import { Refusal } from '../platform/errors.ts';
import { takeForms } from '../platform/forms.ts';
import { messagePage, PAGE_HEADERS } from '../platform/page.ts';
import { toProblem } from '../platform/problem.ts';
import { authorizedAs, authorizedBy, type RouteWorld } from '../platform/route.ts';
import type { Tx } from '../platform/tx.ts';
import { type DecisionForm, type FormFields, parseForm, readForm } from './form.ts';
import { decisionPage, INVALID_PAGE, resultPage } from './page.ts';
import { decideByLink } from './service-decide.ts';
import { type LinkView, viewLink } from './service-view.ts';

export interface LinkRouteWorld extends RouteWorld<Actor> {
  /** Where a browser reaches the service. */
  readonly publicUrl: string | undefined;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
}

const BODY_LIMIT = 16 * 1024;
const URL_PATTERN = '/decide/:secret';
const SCHEMA = { hide: true };

/**
 * The page behind a link in a mail. Following the link shows and never decides: scanners of
 * mail follow links too. The form decides, as the person it was made for: with the
 * login of the browser, or with a token.
 */
export async function registerLinkRoutes(
  app: FastifyInstance,
  world: LinkRouteWorld,
): Promise<void> {
  // A scope of its own: forms are taken here and nowhere else, and JSON is not.
  await app.register(async (scope) => {
    takeForms(scope, parseForm);
    scope.setErrorHandler(showError);
    scope.route({
      method: ['GET', 'HEAD'],
      url: URL_PATTERN,
      schema: SCHEMA,
      handler: (request, reply) => open(world, request, reply),
    });
    scope.route({
      method: 'POST',
      url: URL_PATTERN,
      schema: SCHEMA,
      bodyLimit: BODY_LIMIT,
      handler: (request, reply) => post(world, request, reply),
    });
  });
}

const secretOf = (request: FastifyRequest): string => (request.params as { secret: string }).secret;

const view = (world: LinkRouteWorld, request: FastifyRequest): Promise<LinkView> =>
  world.transact(async (tx) =>
    viewLink(tx, secretOf(request), await browserLoginOf(tx, request.headers.cookie)),
  );

/** Back to the link, once he is logged in. */
const loginPath = (request: FastifyRequest): string =>
  `/login?next=${encodeURIComponent(`/decide/${secretOf(request)}`)}&prompt=login`;

/** Whoever wants to log in first comes back here. */
async function open(
  world: LinkRouteWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { login } = request.query as { login?: unknown };
  if (login === undefined) return show(reply, await view(world, request));
  return send(reply.header('location', loginPath(request)), 303, '');
}

const send = (reply: FastifyReply, status: number, text: string): FastifyReply =>
  reply.code(status).headers(PAGE_HEADERS).send(text);

const CLOSED = 'There is nothing to decide';

/** @param refused what was wrong with what was sent, with the status that it brings. */
function show(
  reply: FastifyReply,
  seen: LinkView,
  refused?: { status: number; texts: readonly string[]; filled: FormFields },
): FastifyReply {
  if (seen.kind === 'open')
    return send(
      reply,
      refused?.status ?? 200,
      decisionPage({
        ...seen,
        ...(refused && { refused: refused.texts, filled: refused.filled }),
      }),
    );
  // Who has sent a decision is told what became of it, also where the link is over by now.
  if (refused) return send(reply, refused.status, messagePage(CLOSED, refused.texts));
  if (seen.kind === 'invalid') return send(reply, 404, INVALID_PAGE);
  return send(reply, 200, messagePage(CLOSED, [seen.why]));
}

async function post(
  world: LinkRouteWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const filled = (request.body ?? {}) as FormFields;
  const seen = await view(world, request);
  if (seen.kind === 'invalid') return show(reply, seen);
  if (seen.kind === 'closed')
    return show(reply, seen, { status: 409, texts: [seen.why], filled: {} });
  const form = readForm(filled);
  if (typeof form === 'string') return show(reply, seen, { status: 400, texts: [form], filled });
  try {
    return send(reply, 200, resultPage(await decided(world, request, form, filled.csrf)));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    if (error.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer');
    const { status } = PROBLEMS[error.code];
    const texts = [error.detail, ...(error.next === undefined ? [] : [error.next])];
    return show(reply, await view(world, request), { status, texts, filled });
  }
}

/** One transaction, by the same way as the API's decision: its checks, its locks, its record. */
function decided(
  world: LinkRouteWorld,
  request: FastifyRequest,
  form: DecisionForm,
  csrf: string | undefined,
) {
  const operation = operations.decideAccessRequest;
  const act = (tx: Tx, caller: Actor, relations: ReadonlySet<Relation>) => {
    if (form.decision === 'approve') world.clock.assertSafe();
    return decideByLink(tx, caller, relations, secretOf(request), form);
  };
  const client_address = request.ip;
  if (form.access_token !== null)
    return authorizedBy(
      world,
      operation,
      { credentials: bearer(form.access_token), client_address },
      act,
    );
  // A token in the form is a proof of its own; a cookie comes with whatever page sends it.
  assertOwnPage(world, request, 'login', csrf);
  const cookie = request.headers.cookie;
  const find = (tx: Tx) => browserCaller(tx, cookie);
  return authorizedAs(world, operation, client_address, async () => find, act);
}

async function browserCaller(tx: Tx, cookie: string | undefined): Promise<Actor> {
  const login = await browserLoginOf(tx, cookie);
  const caller = login === undefined ? undefined : await callerByBrowser(tx, login);
  if (caller !== undefined) return caller;
  throw new Refusal('unauthenticated', 'You are not logged in any more.', {
    next: 'Log in again, then decide.',
  });
}

/** What the framework, or a fault of ours, refuses. */
function showError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [problem, fault] = toProblem(error, request.id);
  if (fault === 'ours')
    request.log.error({ trace_id: request.id, err: error, code: problem.code }, 'request failed');
  const { title, detail, code, status, trace_id } = problem;
  return send(
    reply,
    status,
    messagePage(title, [OWN_WORDS[code] ?? detail, `Open the link again. (${trace_id})`]),
  );
}

/** Where what the API says is about JSON. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  body_too_large: 'More was sent than the form can hold.',
  unsupported_media_type: 'This page takes its own form only.',
};
