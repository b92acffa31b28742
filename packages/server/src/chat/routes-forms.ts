import { type NewAccessRequest, operations } from '@postern/shared';
import { Value } from 'typebox/value';
import type { Refusal } from '../platform/errors.ts';
import { type Field, publishedForm, raiseRequest } from '../requests/index.ts';
import { answersIn, doneView, fieldBlock, fieldsForm, nextView, TARGET_BLOCK } from './forms.ts';
import type { Offer } from './offers.ts';
import { filledIn, parseWish, type Submission } from './parse.ts';
import { fieldErrors } from './plain.ts';
import { refusalLines, UNLINKED } from './routes-render.ts';
import { type SlackWorld, type Speaker, type Spoken, spoken } from './routes-speaker.ts';
import { offerOf } from './service-offers.ts';

const operation = operations.createAccessRequest;
const GONE = ['This is not offered any more, or you have asked for it already.'];

/** The choice of server and account. @returns the form that asks what its request type asks */
export async function chooseTarget(
  world: SlackWorld,
  speaker: Speaker,
  { view }: Submission,
): Promise<object> {
  const offered = await offerFor(world, speaker, filledIn(view.state.values, TARGET_BLOCK) ?? '');
  if (offered.kind !== 'done') return whyNot(offered);
  const offer = offered.value;
  if (offer === undefined) return doneView(GONE);
  const form = await world.transact((tx) => publishedForm(tx, offer.request_type.id));
  return form === undefined ? doneView(GONE) : nextView(fieldsForm(offer, form));
}

/** The answers: raises the request. @returns what Slack shows in the form's place */
export async function raiseFromForm(
  world: SlackWorld,
  speaker: Speaker,
  { view }: Submission,
): Promise<object> {
  const wish = parseWish(view.private_metadata);
  if (wish === undefined) return doneView(GONE);
  const offered = await offerFor(world, speaker, wish.target);
  if (offered.kind !== 'done') return whyNot(offered);
  const offer = offered.value;
  if (offer === undefined) return doneView(GONE);
  const { request_type, target } = offer;
  let fields: readonly Field[] = [];
  const said = await spoken(world, operation, speaker, async (tx, person) => {
    const form = await publishedForm(tx, request_type.id);
    if (form?.version !== wish.version) return undefined;
    fields = form.fields;
    const answers = answersIn(fields, view.state.values);
    const body: NewAccessRequest = { request_type_id: request_type.id, target, answers };
    if (!Value.Check(operation.body, body)) return undefined;
    return await raiseRequest(tx, person, body, undefined);
  });
  if (said.kind === 'refused') return showFaults(said.refusal, fields);
  if (said.kind === 'unlinked') return whyNot(said);
  if (said.value === undefined)
    return doneView(['The form is not the one of today. Open it again: /postern request']);
  const { id, state } = said.value.request;
  return doneView([
    `Your request for ${offer.server.name} as ${target.identity} is ${state}.`,
    `See it: sft request show ${id}`,
  ]);
}

async function offerFor(
  world: SlackWorld,
  speaker: Speaker,
  value: string,
): Promise<Spoken<Offer | undefined>> {
  const said = await spoken(world, operation, speaker, async (_tx, { user_id }) => user_id);
  if (said.kind !== 'done') return said;
  const asking = {
    user_id: said.value,
    // A chat is no login: nobody has proved himself in it.
    token_id: undefined,
    client_address: undefined,
    binding: null,
    now: world.now(),
  };
  return { kind: 'done', value: await offerOf(world.cache, asking, value) };
}

const whyNot = (said: Exclude<Spoken<unknown>, { kind: 'done' }>): object =>
  doneView(said.kind === 'refused' ? refusalLines(said.refusal) : UNLINKED);

/** Each fault at its field; without a field there is nothing in the form to mend. */
function showFaults(refusal: Refusal, fields: readonly Field[]): object {
  const faults = (refusal.errors ?? []).flatMap(({ pointer, detail }) => {
    const index = fields.findIndex(({ key }) => pointer === `/answers/${key}`);
    return index < 0 ? [] : [[fieldBlock(index), detail] as const];
  });
  return faults.length > 0
    ? fieldErrors(Object.fromEntries(faults))
    : doneView(refusalLines(refusal));
}
