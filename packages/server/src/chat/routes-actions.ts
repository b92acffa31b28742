import { type Body, operations } from '@postern/shared';
import { Value } from 'typebox/value';
import type { Refusal } from '../platform/errors.ts';
import { refuseOutsideChat } from '../requests/index.ts';
import { answerUrl } from './answer-url.ts';
import { denyForm, doneView, REASON_BLOCK } from './forms.ts';
import { type Actions, type Decided, filledIn, parseDecided, type Submission } from './parse.ts';
import { fieldErrors } from './plain.ts';
import {
  decidedLines,
  freshCard,
  outcomeMessage,
  refusalLines,
  say,
  UNLINKED,
} from './routes-render.ts';
import { type SlackWorld, type Speaker, spoken } from './routes-speaker.ts';
import { decideInChat, pendingFor } from './service-decide.ts';

const operation = operations.decideAccessRequest;

/** A button of a card: approves at once, or asks why before it denies. */
export async function pressButton(
  world: SlackWorld,
  speaker: Speaker,
  { actions, response_url, trigger_id }: Actions,
): Promise<void> {
  const { action_id, value } = actions[0]!;
  if (action_id !== 'approve' && action_id !== 'deny') return;
  const decided = parseDecided(value ?? '');
  if (decided === undefined)
    return world.api.answerAt(response_url, say(['This button is not one of Postern’s.']));
  if (action_id === 'deny') {
    const url = answerUrl(response_url, world.slack)?.href;
    const kept = { ...decided, ...(url === undefined ? {} : { response_url: url }) };
    return await askWhy(world, speaker, kept, trigger_id);
  }
  await decide(world, speaker, { ...decided, response_url }, { decision: 'approve' });
}

type Answered = Omit<Decided, 'response_url'> & { readonly response_url: string | undefined };

async function decide(
  world: SlackWorld,
  speaker: Speaker,
  decided: Answered,
  { decision }: { readonly decision: 'approve' },
): Promise<void> {
  const { request_id, etag, step, response_url } = decided;
  const said = await spoken(world, operation, speaker, (tx, person, relations) => {
    // An approval counts from now: with a wrong clock it would hold at another time.
    world.clock.assertSafe();
    const body = { decision, step };
    return decideInChat(tx, person, relations, { request_id, etag, step }, body);
  });
  if (said.kind === 'unlinked') return world.api.answerAt(response_url, say(UNLINKED));
  if (said.kind === 'refused')
    return await sayWhyNot(world, speaker, request_id, said.refusal, response_url);
  const { person, request, pending } = said.value;
  world.api.answerAt(response_url, outcomeMessage(person, decision, request, pending));
  world.api.answerAt(response_url, say(decidedLines(person, decision, request)));
}

/** Whoever pressed a button of an old card, and may decide on the new one, is shown that. */
async function sayWhyNot(
  world: SlackWorld,
  speaker: Speaker,
  request_id: string,
  refusal: Refusal,
  response_url: string | undefined,
): Promise<void> {
  const lines = refusalLines(refusal);
  const isOld = refusal.code === 'precondition_failed' || refusal.code === 'wrong_step';
  const fresh = isOld
    ? await spoken(world, operation, speaker, (tx, person) => pendingFor(tx, person, request_id))
    : undefined;
  const pending = fresh?.kind === 'done' ? fresh.value : undefined;
  world.api.answerAt(response_url, pending ? freshCard(lines, pending) : say(lines));
}

async function askWhy(
  world: SlackWorld,
  speaker: Speaker,
  decided: Decided,
  trigger_id: string,
): Promise<void> {
  const { request_id, response_url } = decided;
  const said = await spoken(world, operation, speaker, async (tx, person, relations) => {
    await refuseOutsideChat(tx, person, relations, request_id, 'deny');
    return (await pendingFor(tx, person, request_id))?.card.title;
  });
  if (said.kind === 'unlinked') return world.api.answerAt(response_url, say(UNLINKED));
  if (said.kind === 'refused')
    return world.api.answerAt(response_url, say(refusalLines(said.refusal)));
  const form = denyForm(decided, said.value ?? `Request ${request_id}`);
  if (await world.api.openView(trigger_id, form)) return;
  const lines = ['Slack did not open the form.', `Deny it: sft-admin deny ${request_id}`];
  world.api.answerAt(response_url, say(lines));
}

/** The form that asked why. @returns what Slack shows in its place */
export async function denyWithReason(
  world: SlackWorld,
  speaker: Speaker,
  { view }: Submission,
): Promise<object> {
  const decided = parseDecided(view.private_metadata);
  const comment = filledIn(view.state.values, REASON_BLOCK);
  if (decided === undefined || comment === undefined || comment.trim() === '')
    return fieldErrors({ [REASON_BLOCK]: 'Say why.' });
  const { request_id, etag, step, response_url } = decided;
  const body: Body<'decideAccessRequest'> = { decision: 'deny', step, comment };
  if (!Value.Check(operation.body, body))
    return fieldErrors({ [REASON_BLOCK]: 'It must have at most 2000 characters.' });
  const said = await spoken(world, operation, speaker, (tx, person, relations) =>
    decideInChat(tx, person, relations, { request_id, etag, step }, body),
  );
  if (said.kind === 'unlinked') return doneView(UNLINKED);
  if (said.kind === 'refused') return doneView(refusalLines(said.refusal));
  const { person, request, pending } = said.value;
  world.api.answerAt(response_url, outcomeMessage(person, 'deny', request, pending));
  return doneView(decidedLines(person, 'deny', request));
}
