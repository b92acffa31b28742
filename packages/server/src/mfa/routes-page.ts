import { timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../platform/errors.ts';
import { takeForms } from '../platform/forms.ts';
import { messagePage, PAGE_HEADERS, SCRIPT_PAGE_HEADERS } from '../platform/page.ts';
import { toProblem } from '../platform/problem.ts';
import type { Tx } from '../platform/tx.ts';
import { type FormFields, isFromOwnPage, parseForm, readForm, type Wish } from './form.ts';
import {
  DONE_PAGE,
  FAILED_PAGE,
  INVALID_PAGE,
  PASSKEY_SCRIPT,
  SCRIPT_PATH,
  type StepUpPage,
  stepUpPage,
} from './page.ts';
import { formTokenOf } from './secret.ts';
import {
  type Answered,
  answerWithCode,
  answerWithPasskey,
  type PageView,
  passkeyQuestion,
  viewChallenge,
} from './service-answer.ts';
import type { Factors } from './service-factors.ts';

export interface MfaPageWorld {
  transact<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
  readonly mfa: { readonly factors: Factors; readonly publicUrl: string | undefined };
}

const BODY_LIMIT = 32 * 1024;
const URL_PATTERN = '/mfa/:secret';
const SCHEMA = { hide: true };

type Open = Extract<PageView, { kind: 'open' }>;

/**
 * The page on which a person proves himself in the middle of a command. Following its address
 * shows and never changes anything: scanners of mail and chat follow addresses too. No login is
 * asked for: the address is the command's, and what is asked for is the person's second factor.
 */
export async function registerMfaPages(app: FastifyInstance, world: MfaPageWorld): Promise<void> {
  app.get(SCRIPT_PATH, { schema: SCHEMA }, (_request, reply) =>
    reply
      .headers({
        'cache-control': 'max-age=3600',
        'content-type': 'text/javascript; charset=utf-8',
      })
      .send(PASSKEY_SCRIPT),
  );
  // A scope of its own: forms are taken here and nowhere else, and JSON is not.
  await app.register(async (scope) => {
    takeForms(scope, parseForm);
    scope.setErrorHandler(showError);
    scope.route({
      method: ['GET', 'HEAD'],
      url: URL_PATTERN,
      schema: SCHEMA,
      handler: async (request, reply) => show(reply, secretOf(request), await view(world, request)),
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

const view = (world: MfaPageWorld, request: FastifyRequest): Promise<PageView> =>
  world.transact((tx) => viewChallenge(tx, world.mfa.factors, secretOf(request)));

const send = (
  reply: FastifyReply,
  status: number,
  text: string,
  headers = PAGE_HEADERS,
): FastifyReply => reply.code(status).headers(headers).send(text);

function show(
  reply: FastifyReply,
  secret: string,
  seen: PageView,
  { status = 200, ...more }: { status?: number } & Pick<StepUpPage, 'refused' | 'passkey'> = {},
): FastifyReply {
  if (seen.kind === 'invalid') return send(reply, status === 200 ? 404 : status, INVALID_PAGE);
  const text = stepUpPage({ ...seen, ...more, form_token: formTokenOf(secret) });
  return send(reply, status, text, more.passkey === undefined ? PAGE_HEADERS : SCRIPT_PAGE_HEADERS);
}

async function post(
  world: MfaPageWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const secret = secretOf(request);
  const fields = (request.body ?? {}) as FormFields;
  refuseForged(world, request, fields);
  world.clock.assertSafe();
  const seen = await view(world, request);
  if (seen.kind === 'invalid') return show(reply, secret, seen);
  const wish = readForm(fields);
  if (typeof wish === 'string') return show(reply, secret, seen, { status: 400, refused: [wish] });
  const { factors } = world.mfa;
  if (wish.kind === 'ask_passkey') {
    const passkey = await world.transact((tx) => passkeyQuestion(tx, factors, seen.id));
    if (passkey === undefined) return send(reply, 404, INVALID_PAGE);
    return show(reply, secret, seen, { passkey });
  }
  const answered = await world.transact((tx) => answer(tx, factors, seen, wish, request.ip));
  if (answered.state === 'approved') return send(reply, 200, DONE_PAGE);
  if (answered.state === 'failed') return send(reply, 403, FAILED_PAGE);
  if (answered.state === 'expired') return send(reply, 404, INVALID_PAGE);
  return show(reply, secret, seen, { status: 403, refused: [textOf(answered)] });
}

const answer = (
  tx: Tx,
  factors: Factors,
  { id }: Open,
  wish: Exclude<Wish, { kind: 'ask_passkey' }>,
  address: string,
): Promise<Answered> =>
  wish.kind === 'code'
    ? answerWithCode(tx, factors, id, wish.code, address)
    : answerWithPasskey(tx, factors, id, wish.response, address);

function textOf({ wrong, tries_left }: Answered): string {
  if (wrong === 'needs_passkey') return 'A code is not enough here: use a passkey.';
  if (wrong === 'passkey') return 'That is no passkey of yours that we know.';
  return `That is not the code, or it was used already. It may be tried ${tries_left} more times.`;
}

/** Only our own page sends the form, and only who has read it can (OWASP CSRF). */
function refuseForged(world: MfaPageWorld, request: FastifyRequest, fields: FormFields): void {
  const { origin, 'sec-fetch-site': site } = request.headers;
  const from = { origin, site: site as string | undefined };
  const wanted = Buffer.from(formTokenOf(secretOf(request)));
  const given = Buffer.from(fields.form_token ?? '');
  const isOurs = given.length === wanted.length && timingSafeEqual(given, wanted);
  if (isOurs && isFromOwnPage(from, world.mfa.publicUrl ?? 'http://localhost')) return;
  throw new Refusal('not_permitted', 'This form was not sent by our page.');
}

/** What the framework, or a fault of ours, refuses. */
function showError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const [problem, fault] = toProblem(error, request.id);
  if (fault === 'ours')
    request.log.error({ trace_id: request.id, err: error, code: problem.code }, 'request failed');
  const { title, detail, code, status, trace_id } = problem;
  const text = OWN_WORDS[code] ?? detail;
  return send(reply, status, messagePage(title, [text, `Open the page again. (${trace_id})`]));
}

/** Where what the API says is about JSON. */
const OWN_WORDS: Readonly<Record<string, string>> = {
  body_too_large: 'More was sent than the form can hold.',
  unsupported_media_type: 'This page takes its own form only.',
};
