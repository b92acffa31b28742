import type { Field, PublishedForm } from '../requests/index.ts';
import type { Offer } from './offers.ts';
import { type Decided, filledIn, type State, type Wish } from './parse.ts';
import { plain } from './plain.ts';

/** Which form was sent. */
export const DENY = 'postern_deny';
export const TARGET = 'postern_target';
export const FIELDS = 'postern_fields';

/** The only field of the first two. */
export const REASON_BLOCK = 'reason';
export const TARGET_BLOCK = 'target';

const LONGEST_TEXT = 3_000;
const LONGEST_OPTION = 75;
const MOST_OPTIONS = 100;

interface Form {
  readonly callback_id: string;
  readonly title: string;
  readonly submit: string;
  readonly metadata: string;
  readonly blocks: readonly object[];
}

const modal = ({ callback_id, title, submit, metadata, blocks }: Form): object => ({
  type: 'modal',
  callback_id,
  title: plain(title, 24),
  submit: plain(submit, 24),
  close: plain('Cancel', 24),
  private_metadata: metadata,
  blocks,
});

const note = (text: string): object => ({ type: 'section', text: plain(text) });

const input = (block_id: string, label: string, optional: boolean, element: object): object => ({
  type: 'input',
  block_id,
  optional,
  label: plain(label, 300),
  element: { action_id: 'a', ...element },
});

const option = (text: string, value: string): object => ({
  text: plain(text, LONGEST_OPTION),
  value,
});

/** Asks why somebody denies. */
export const denyForm = (decided: Decided, title: string): object =>
  modal({
    callback_id: DENY,
    title: 'Deny a request',
    submit: 'Deny',
    metadata: JSON.stringify(decided),
    blocks: [
      note(title),
      input(REASON_BLOCK, 'Why?', false, {
        type: 'plain_text_input',
        multiline: true,
        max_length: 2_000,
      }),
    ],
  });

/** Asks for which server and account; more than Slack can show are left out. */
export const targetForm = (offers: readonly Offer[], isCut: boolean): object =>
  modal({
    callback_id: TARGET,
    title: 'Request access',
    submit: 'Next',
    metadata: '',
    blocks: [
      input(TARGET_BLOCK, 'Server and account', false, {
        type: 'static_select',
        options: offers.slice(0, MOST_OPTIONS).map((offer) => option(nameOf(offer), offer.value)),
      }),
      ...(isCut
        ? [note('There are more: /postern request NAME shows those with NAME in it.')]
        : []),
    ],
  });

const nameOf = ({ server, target, request_type }: Offer): string =>
  `${server.name} as ${target.identity} (${request_type.name})`;

/** Asks what the request type asks. */
export const fieldsForm = (offer: Offer, form: PublishedForm): object =>
  modal({
    callback_id: FIELDS,
    title: 'Request access',
    submit: 'Request',
    metadata: JSON.stringify({ target: offer.value, version: form.version } satisfies Wish),
    blocks: [note(nameOf(offer)), ...form.fields.map(fieldInput)],
  });

export const fieldBlock = (index: number): string => `field_${index}`;

const fieldInput = (field: Field, index: number): object =>
  input(fieldBlock(index), field.prompt, !field.required, elementOf(field));

function elementOf(field: Field): object {
  switch (field.type) {
    case 'text':
      return {
        type: 'plain_text_input',
        multiline: true,
        max_length: Math.min(field.max_length, LONGEST_TEXT),
      };
    case 'choice':
      return {
        type: 'static_select',
        options: field.options.map(({ label }, i) => option(label, String(i))),
      };
    case 'date':
      return { type: 'datepicker' };
    case 'duration':
      return { type: 'plain_text_input', max_length: 9, placeholder: plain('e.g. 8h', 150) };
  }
}

/** What was answered, by the fields' keys; what was left open is left out. */
export function answersIn(fields: readonly Field[], values: State): Record<string, string> {
  return Object.fromEntries(
    fields.flatMap((field, i) => {
      const text = filledIn(values, fieldBlock(i));
      if (text === undefined) return [];
      // A choice that is none of them is for the check of the answers to refuse.
      const answer = field.type === 'choice' ? (field.options[Number(text)]?.value ?? text) : text;
      return [[field.key, answer]];
    }),
  );
}

/** What stands in a form's place when it was sent. */
export const doneView = (lines: readonly string[]): object => ({
  response_action: 'update',
  view: {
    type: 'modal',
    title: plain('Postern', 24),
    close: plain('Close', 24),
    blocks: lines.slice(0, 20).map(note),
  },
});

export const nextView = (view: object): object => ({ response_action: 'update', view });
