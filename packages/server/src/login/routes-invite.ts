import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { acceptInvitation, readPassword, viewInvitation } from '../credentials/index.ts';
import { messagePage } from '../platform/page.ts';
import { csrfOf } from './cookie.ts';
import { invitePage } from './pages.ts';
import {
  assertOwnPage,
  fieldsOf,
  formOf,
  giveCookie,
  goTo,
  type LoginWorld,
  SCHEMA,
  sendPage,
} from './routes-page.ts';

const URL_PATTERN = '/invite/:secret';

/** One page for whatever is wrong with the link, so that nothing is learned from it. */
const INVALID = messagePage('This link is not valid any more', [
  'It was used, it has expired, another one was made, or it is not complete.',
  'Ask whoever sent it for another one: sft-admin users invite LOGIN',
]);

const secretOf = (request: FastifyRequest): string => (request.params as { secret: string }).secret;

/** Following the link shows and changes nothing: scanners of mail follow links too. */
export function registerInvite(scope: FastifyInstance, world: LoginWorld): void {
  scope.route({
    method: ['GET', 'HEAD'],
    url: URL_PATTERN,
    schema: SCHEMA,
    handler: (request, reply) => show(world, request, reply),
  });
  scope.post(URL_PATTERN, { schema: SCHEMA }, (request, reply) => accept(world, request, reply));
}

async function show(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
  refused?: string,
): Promise<FastifyReply> {
  const person = await world.transact((tx) => viewInvitation(tx, secretOf(request)));
  if (person === undefined) return sendPage(reply, 404, INVALID);
  const csrf = csrfOf(formOf(world, request, reply));
  const about = { csrf, passkeys: false, ...person };
  if (refused === undefined) return sendPage(reply, 200, invitePage(about));
  return sendPage(reply, 400, invitePage({ ...about, refused: [refused] }));
}

async function accept(
  world: LoginWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { csrf, password = '', again = '' } = fieldsOf(request);
  assertOwnPage(world, request, 'form', csrf);
  world.clock.assertSafe();
  const code = secretOf(request);
  const owner = await world.transact((tx) => viewInvitation(tx, code));
  if (owner === undefined) return sendPage(reply, 404, INVALID);
  if (password !== again) return show(world, request, reply, 'The two passwords differ.');
  const read = readPassword(password, owner);
  if (!read.ok) return show(world, request, reply, read.why);
  const hash = await world.passwords.hash(read.password);
  const set = await world.transact((tx) => acceptInvitation(tx, world, { code, hash }));
  if (!set) return sendPage(reply, 404, INVALID);
  giveCookie(world, request, reply, 'form', undefined);
  return goTo(reply, '/login?from=invitation');
}
