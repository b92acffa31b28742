import { operations } from '@postern/shared';
import { Refusal } from '../platform/errors.ts';
import { listAccessRequests } from '../requests/index.ts';
import { targetForm } from './forms.ts';
import type { Command } from './parse.ts';
import { HELP, refusalLines, requestLines, say, UNLINKED } from './routes-render.ts';
import { type SlackWorld, type Speaker, type Spoken, spoken } from './routes-speaker.ts';
import { linkAccount } from './service.ts';
import { offersFor } from './service-offers.ts';

/** `/postern …`. @returns what only the one who typed it sees; undefined for nothing */
export async function runCommand(
  world: SlackWorld,
  speaker: Speaker,
  { text, trigger_id }: Command,
): Promise<object | undefined> {
  const [name = 'help', ...rest] = text.split(/\s+/).filter((word) => word !== '');
  if (name === 'link' && rest.length === 1) return say(await link(world, speaker, rest[0]!));
  if (name === 'requests' && rest.length === 0) return say(await pendingOf(world, speaker));
  if (name === 'request' && rest.length <= 1)
    return await openRequest(world, speaker, trigger_id, rest[0] ?? '');
  return say(HELP);
}

async function link(world: SlackWorld, speaker: Speaker, code: string): Promise<string[]> {
  const { account, address } = speaker;
  try {
    // With a wrong clock a code would outlive its minutes.
    world.clock.assertSafe();
  } catch (error) {
    if (error instanceof Refusal) return refusalLines(error);
    throw error;
  }
  const linked = await world.transact((tx) => linkAccount(tx, account, code));
  if (linked.ok) {
    const { name, login } = linked.person;
    return [`This Slack account now speaks for ${name} (${login}).`];
  }
  if (linked.reason === 'linked_already')
    return [
      'This Slack account, or yours in Postern, has a link already.',
      'End it first: sft-admin chat list, then sft-admin chat unlink ID.',
    ];
  const refusal = new Refusal('unauthenticated', 'This code is not valid, or not any more.');
  await world.refused({ id: 'slackLink' }, refusal, undefined, address);
  return [refusal.detail, 'Make another one: sft-admin chat link'];
}

async function pendingOf(world: SlackWorld, speaker: Speaker): Promise<readonly string[]> {
  const query = { view: 'mine', state: 'pending' } as const;
  const said = await spoken(
    world,
    operations.listAccessRequests,
    speaker,
    (tx, caller, relations) => listAccessRequests(tx, caller, relations, { ...query, limit: 19 }),
  );
  return said.kind === 'done' ? requestLines(said.value) : whyNot(said);
}

const whyNot = (said: Exclude<Spoken<unknown>, { kind: 'done' }>): readonly string[] =>
  said.kind === 'refused' ? refusalLines(said.refusal) : UNLINKED;

async function openRequest(
  world: SlackWorld,
  speaker: Speaker,
  trigger_id: string,
  part: string,
): Promise<object | undefined> {
  const said = await spoken(
    world,
    operations.createAccessRequest,
    speaker,
    async (_tx, { user_id }) => user_id,
  );
  if (said.kind !== 'done') return say(whyNot(said));
  const asking = {
    user_id: said.value,
    // A chat is no login: nobody has proved himself in it.
    token_id: undefined,
    client_address: undefined,
    binding: null,
    now: world.now(),
  };
  const offers = await offersFor(world.cache, asking, part);
  if (offers.length === 0)
    return say([
      'There is nothing to ask for, or you have asked for it already.',
      'See what you can reach: sft list-servers',
    ]);
  if (await world.api.openView(trigger_id, targetForm(offers, offers.length > 100)))
    return undefined;
  return say(['Slack did not open the form.', 'Try again, or ask in a terminal: sft ssh HOST']);
}
