import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Refusal } from '../platform/errors.ts';
import { DENY, FIELDS, TARGET } from './forms.ts';
import { createSlackApi } from './jobs-slack.ts';
import { type Interaction, parseCommand, parseInteraction, type Submission } from './parse.ts';
import { denyWithReason, pressButton } from './routes-actions.ts';
import { runCommand } from './routes-commands.ts';
import { chooseTarget, raiseFromForm } from './routes-forms.ts';
import type { SlackWorld, Speaker } from './routes-speaker.ts';
import { spendSignature } from './service.ts';
import { checkSignature } from './signature.ts';

const BODY_LIMIT = 64 * 1024;
const COMMANDS = '/chat/slack/commands';
const INTERACTIONS = '/chat/slack/interactions';

interface World extends Omit<SlackWorld, 'slack' | 'api'> {
  readonly slack: SlackWorld['slack'] | null;
  readonly log: Parameters<typeof createSlackApi>[1];
}

/**
 * What Slack calls; nothing where it is not set up. Whatever is wrong with a call is answered
 * alike, with 401 and not a word.
 */
export async function registerSlackRoutes(app: FastifyInstance, given: World): Promise<void> {
  const { slack } = given;
  if (slack === null) return;
  const api = createSlackApi(slack, given.log);
  const world: SlackWorld = { ...given, slack, api };
  app.addHook('onClose', () => api.stop());
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    // Whatever it says that it is, the signature covers the text as it came.
    scope.addContentTypeParser(
      '*',
      { parseAs: 'string', bodyLimit: BODY_LIMIT },
      (_request, body, done) => done(null, body),
    );
    scope.setErrorHandler(async (error, request, reply) => {
      const { statusCode } = error as { statusCode?: number };
      const isFault = error instanceof Refusal || (statusCode !== undefined && statusCode < 500);
      const isOurs = error instanceof Refusal && error.code === 'rate_limited';
      if (!isFault || isOurs) throw error;
      return await turnAway(world, request, reply);
    });
    const hidden = { schema: { hide: true }, bodyLimit: BODY_LIMIT };
    scope.post(COMMANDS, hidden, async (request, reply) => {
      const form = await signedForm(world, request);
      const command = form && parseCommand(form);
      if (command?.team_id !== slack.workspace_id) return await turnAway(world, request, reply);
      const speaker = speakerOf(request, slack.workspace_id, command.user_id);
      return await answer(reply, await runCommand(world, speaker, command));
    });
    scope.post(INTERACTIONS, hidden, async (request, reply) => {
      const form = await signedForm(world, request);
      const given = form && parseInteraction(form);
      if (given?.team.id !== slack.workspace_id) return await turnAway(world, request, reply);
      return await answer(reply, await interact(world, request, given));
    });
  });
}

const speakerOf = (
  request: FastifyRequest,
  workspace_id: string,
  chat_user_id: string,
): Speaker => ({ account: { workspace_id, chat_user_id }, address: request.ip });

/** 200 says no more than that it has come. */
const answer = (reply: FastifyReply, body: object | undefined): FastifyReply =>
  reply
    .code(200)
    .header('cache-control', 'no-store')
    .send(body ?? '');

async function interact(
  world: SlackWorld,
  request: FastifyRequest,
  given: Interaction,
): Promise<object | undefined> {
  if (given.type === 'other') return undefined;
  const speaker = speakerOf(request, given.team.id, given.user.id);
  if (given.type === 'view_submission') return await submit(world, speaker, given);
  await pressButton(world, speaker, given);
  return undefined;
}

async function submit(
  world: SlackWorld,
  speaker: Speaker,
  given: Submission,
): Promise<object | undefined> {
  switch (given.view.callback_id) {
    case DENY:
      return await denyWithReason(world, speaker, given);
    case TARGET:
      return await chooseTarget(world, speaker, given);
    case FIELDS:
      return await raiseFromForm(world, speaker, given);
    default:
      return undefined;
  }
}

/** The body's form, if Slack signed it just now and it has not come before. */
async function signedForm(
  world: SlackWorld,
  request: FastifyRequest,
): Promise<URLSearchParams | undefined> {
  const { body, headers } = request;
  // A form is ASCII: of other bytes the text would not be what was signed.
  if (typeof body !== 'string' || !/^[\x20-\x7e]*$/.test(body)) return undefined;
  if (!/^application\/x-www-form-urlencoded(;|$)/i.test(headers['content-type'] ?? ''))
    return undefined;
  const parts = {
    signature: headers['x-slack-signature'],
    timestamp: headers['x-slack-request-timestamp'],
    body,
  };
  const signed = checkSignature(parts, world.slack.signing_secret, world.now());
  if (!signed.ok) return undefined;
  const isNew = await world.transact((tx) => spendSignature(tx, signed));
  return isNew ? new URLSearchParams(body) : undefined;
}

/** Recorded like a failed login, and bounded like one. */
async function turnAway(
  world: SlackWorld,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const id = request.routeOptions.url === COMMANDS ? 'slackCommand' : 'slackInteraction';
  const refusal = new Refusal('unauthenticated', 'This did not come from the chat.');
  await world.refused({ id }, refusal, undefined, request.ip);
  return reply.code(401).header('cache-control', 'no-store').send('');
}
