import { type AccessRequest, targetText } from '@postern/shared';
import { missingProof } from '../access/open-proven.ts';
import { stepUp } from '../access/step-up.ts';
import type { Api } from '../api/client.ts';
import { command } from '../command.ts';
import { isInteractive, type World } from '../context.ts';
import { Failure, usage } from '../failure.ts';
import { cardLines } from '../render/card.ts';
import { stillNeeded } from '../render/needed.ts';
import { lines } from '../render/view.ts';

const ID = { id: { summary: 'the id of the request' } };
const FOR = { value: 'LOGIN', summary: 'in whose place you decide, as the stand-in' } as const;
const YES = { summary: 'without showing the card and asking first' } as const;
const HELP = [
  'In a terminal it shows what is asked for and asks before it decides. What changed since',
  'then is refused (77): look at it again. Without a terminal, with --yes or with -o json it',
  'decides at once on the request as it is.',
].join('\n');

export const approve = command({
  summary: 'Approve the current step of an access request',
  help: HELP,
  args: ID,
  flags: { reason: { value: 'TEXT', summary: 'a comment for the record' }, for: FOR, yes: YES },
  run: (ctx) => decide(ctx, 'approve', ctx.flags.reason),
  view: lines<AccessRequest>((request) => [
    `Approved: ${cardLine(request)}.`,
    request.state === 'pending'
      ? `It still needs ${stillNeeded(request)}.`
      : `Request ${request.id} is ${request.state}.`,
  ]),
});

export const deny = command({
  summary: 'Deny an access request; one denial ends it',
  help: HELP,
  args: ID,
  flags: {
    reason: { value: 'TEXT', summary: 'why; the requester reads it' },
    for: FOR,
    yes: YES,
  },
  async run(ctx) {
    const { reason } = ctx.flags;
    if (reason === undefined || reason.trim() === '')
      throw usage('A denial needs a reason.', 'Pass --reason TEXT; the requester reads it.');
    return await decide(ctx, 'deny', reason);
  },
  view: lines<AccessRequest>((request) => [
    `Denied: ${cardLine(request)}.`,
    `Request ${request.id} is ${request.state}.`,
  ]),
});

interface Deciding {
  readonly world: World;
  readonly args: { readonly id: string };
  readonly flags: { readonly yes: boolean; readonly for: string | undefined };
  readonly globals: { readonly output: string };
  api(): Promise<Api>;
  say(line: string): void;
}

/** Decides on what was read, or shown: a request that changes meanwhile is refused (If-Match). */
async function decide(
  ctx: Deciding,
  decision: 'approve' | 'deny',
  comment: string | undefined,
): Promise<AccessRequest> {
  const { id } = ctx.args;
  const api = await ctx.api();
  const for_user_id = ctx.flags.for === undefined ? null : await personFor(api, ctx.flags.for);
  const request = await api.call('getAccessRequest', { params: { id } });
  const step = request.steps.find((s) => s.state === 'current')?.index ?? 0;
  const asks = isInteractive(ctx.world) && !ctx.flags.yes && ctx.globals.output !== 'json';
  if (asks && request.state !== 'pending') throw nothingToDecide(request);
  const etag = asks ? await agreedTo(ctx, api, decision) : request.etag;
  const send = () =>
    api.call('decideAccessRequest', {
      params: { id },
      etag,
      body: { decision, step, comment: comment ?? null, for_user_id },
    });
  try {
    return await send();
  } catch (error) {
    const acr = missingProof(error);
    if (acr === undefined) throw error;
    // What was agreed to stays what it was: a request that changes meanwhile is refused.
    await stepUp(ctx, api, {
      acr,
      target: { request_id: id },
      what: 'This decision needs MFA within 15 min',
      command: `sft-admin ${decision} ${id}`,
    });
    return await send();
  }
}

/** Said before anybody is asked for an answer that could only be refused. */
const nothingToDecide = ({ id, state }: AccessRequest): Failure =>
  new Failure(
    'request_already_resolved',
    `Request ${id} is ${state}; there is nothing to decide any more.`,
    `See it: sft-admin requests show ${id}`,
  );

/** Whom the login names among those whom the caller stands in for. @throws Failure 77 */
async function personFor(api: Api, login: string): Promise<string> {
  const found = (await api.list('listDelegations', {})).find((d) => d.from.login === login);
  if (found !== undefined) return found.from.id;
  throw new Failure(
    'not_an_approver',
    `You do not stand in for ${login}.`,
    '`sft-admin delegations list` shows for whom you do.',
  );
}

/** Shows the card and asks. @returns the ETag of what was shown. @throws Failure 77 on a no. */
async function agreedTo(
  { world, args: { id }, say }: Deciding,
  api: Api,
  decision: 'approve' | 'deny',
): Promise<string> {
  const card = await api.call('getAccessRequestCard', { params: { id } });
  for (const line of cardLines(card, world.stderr.columns)) say(line);
  say('');
  const question = decision === 'approve' ? 'Approve this?' : 'Deny this?';
  if (!(await world.prompt.confirm(question)))
    throw new Failure(
      'stopped',
      'Nothing is decided.',
      `The request stays as it is; see it again: sft-admin requests show ${id}`,
    );
  return card.etag;
}

const cardLine = ({ requester, target }: AccessRequest): string =>
  target.type === 'server_access'
    ? `${requester.name} as ${targetText(target)}`
    : `${requester.name}, ${targetText(target)}`;
