import { type Static, type TSchema, Type } from 'typebox';
import { Value } from 'typebox/value';
import { MAX_NESTING, nestsDeeper } from '../platform/body.ts';
import { findUnstorable } from '../platform/storable.ts';

const Id = Type.String({ pattern: '^[A-Z][A-Z0-9]{1,30}$' });
const Trigger = Type.String({ minLength: 1, maxLength: 300 });
const Url = Type.String({ maxLength: 2000 });
const Metadata = Type.String({ maxLength: 3000 });
const Uuid = Type.String({
  pattern: '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
});

/** Slack sends more than this, and may send yet more: what is not named here is not read. */
const Command = Type.Object({
  team_id: Id,
  user_id: Id,
  text: Type.String({ maxLength: 4000 }),
  trigger_id: Trigger,
});
export type Command = Static<typeof Command>;

const from = {
  team: Type.Object({ id: Id }),
  user: Type.Object({ id: Id, team_id: Type.Optional(Id) }),
};

const Actions = Type.Object({
  type: Type.Literal('block_actions'),
  ...from,
  trigger_id: Trigger,
  response_url: Type.Optional(Url),
  actions: Type.Array(
    Type.Object({ action_id: Type.String(), value: Type.Optional(Type.String()) }),
    { minItems: 1, maxItems: 10 },
  ),
});
export type Actions = Static<typeof Actions>;

/** What was filled in, by block and action. */
const State = Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()));
export type State = Static<typeof State>;

const Submission = Type.Object({
  type: Type.Literal('view_submission'),
  ...from,
  view: Type.Object({
    callback_id: Type.String(),
    private_metadata: Metadata,
    state: Type.Object({ values: State }),
  }),
});
export type Submission = Static<typeof Submission>;

const Other = Type.Object({ type: Type.String(), ...from });

export type Interaction = Actions | Submission | { readonly type: 'other'; readonly team: Team };
type Team = { readonly id: string };

/** Of a form-encoded body; undefined for what no slash command looks like. */
export function parseCommand(form: URLSearchParams): Command | undefined {
  const fields = Object.fromEntries(
    ['team_id', 'user_id', 'text', 'trigger_id'].map((name) => [name, only(form, name)]),
  );
  return checked(Command, fields);
}

/** Of the same, with JSON in its one field `payload`. */
export function parseInteraction(form: URLSearchParams): Interaction | undefined {
  const value = jsonOf(only(form, 'payload') ?? '');
  const given = checked(Actions, value) ?? checked(Submission, value);
  if (given !== undefined) return isOneWorkspace(given) ? given : undefined;
  const other = checked(Other, value);
  if (other === undefined || other.type === 'block_actions' || other.type === 'view_submission')
    return undefined;
  return { type: 'other', team: other.team };
}

/** A guest of a shared channel is of another workspace than the channel. */
const isOneWorkspace = ({ team, user }: Actions | Submission): boolean =>
  user.team_id === undefined || user.team_id === team.id;

function only(form: URLSearchParams, name: string): string | undefined {
  const values = form.getAll(name);
  return values.length === 1 ? values[0] : undefined;
}

/** What a button of ours carries, and what a form of ours remembers: Slack's user may have made it up. */
const Decided = Type.Object(
  {
    request_id: Uuid,
    etag: Type.String({ pattern: '^[0-9]{1,10}$' }),
    step: Type.Integer({ minimum: 0, maximum: 20 }),
    response_url: Type.Optional(Url),
  },
  { additionalProperties: false },
);
export type Decided = Static<typeof Decided>;
export const parseDecided = (text: string): Decided | undefined => checked(Decided, jsonOf(text));

const Wish = Type.Object(
  { target: Type.String({ maxLength: 100 }), version: Type.Integer({ minimum: 1 }) },
  { additionalProperties: false },
);
/** Which target a form is about, and which version of its request type it shows. */
export type Wish = Static<typeof Wish>;
export const parseWish = (text: string): Wish | undefined => checked(Wish, jsonOf(text));

function jsonOf(text: string): unknown {
  if (nestsDeeper(text, MAX_NESTING)) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function checked<T extends TSchema>(schema: T, value: unknown): Static<T> | undefined {
  if (!Value.Check(schema, value) || findUnstorable(value) !== undefined) return undefined;
  return value as Static<T>;
}

const Filled = Type.Object({
  value: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  selected_date: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  selected_option: Type.Optional(Type.Union([Type.Object({ value: Type.String() }), Type.Null()])),
});

/** What stands in one field of a form; undefined when nothing does. */
export function filledIn(values: State, block: string): string | undefined {
  const at = Object.hasOwn(values, block) ? Object.values(values[block] ?? {})[0] : undefined;
  const filled = checked(Filled, at);
  const text = filled?.value ?? filled?.selected_date ?? filled?.selected_option?.value;
  return text === null || text === '' ? undefined : text;
}
