import { type Static, type TSchema, Type } from 'typebox';
import { Named, Strict, Text, Uuid } from './common.ts';

/**
 * A request type as a person writes it (YAML or JSON): things are named by name, what has
 * a default may be left out. The service checks it itself and answers one error per
 * fault; this schema is for editors and for the contract, and accepts no less.
 */

/** The bounds of a request type; the service holds to the same ones. */
export const REQUEST_TYPE_LIMITS = {
  fields: 20,
  options: 50,
  steps: 10,
  /** Levels of `all` and `either` above a leaf. */
  depth: 3,
  /** Parts of one `all` or `either`. */
  parts: 10,
  /** Approver sets of one leaf, or of one escalation. */
  sets: 20,
  /** Distinct people one leaf may ask for. */
  any: 20,
  /** Ways to choose one part at every `either`, over all steps together. */
  alternatives: 256,
  audience_groups: 50,
  accepts: 50,
  text_length: 4000,
} as const;
const LIMITS = REQUEST_TYPE_LIMITS;

const literals = <T extends string>(...values: readonly T[]) =>
  Type.Union(values.map((value) => Type.Literal(value)));

/** A name in answers and in `$name` references. */
export const FieldKey = Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$' });

/** A whole number and a unit: `90s`, `30m`, `24h`, `7d` (a day is 24 hours). */
export const DurationText = Type.String({ pattern: '^[1-9][0-9]{0,7}[smhd]$' });

/** Of whom is asked: the requester's manager, the owners of the target, a group, one user by login. */
export const ApproverSetText = Type.String({
  pattern: '^(manager|resource_owner|group_owner|(group|user):\\S(.{0,198}\\S)?)$',
});
const Sets = Type.Array(ApproverSetText, { minItems: 1, maxItems: LIMITS.sets, uniqueItems: true });

/** `any` distinct persons out of all that `of` yields. */
const NeedLeaf = Strict({ any: Type.Integer({ minimum: 1, maximum: LIMITS.any }), of: Sets });

const partsOf = <T extends TSchema>(need: T) =>
  Type.Array(need, { minItems: 1, maxItems: LIMITS.parts });
const needOver = <T extends TSchema>(need: T) =>
  Type.Union([NeedLeaf, Strict({ all: partsOf(need) }), Strict({ either: partsOf(need) })]);

/** Written out to its greatest depth, so that whatever reads it needs no recursion. */
export const NeedText = needOver(needOver(needOver(NeedLeaf)));
export type NeedText = Static<typeof NeedText>;

const asked = { key: FieldKey, prompt: Text(200), required: Type.Optional(Type.Boolean()) };

/** What the requester is asked. Every answer is a string. */
export const RequestField = Type.Union([
  Strict({
    ...asked,
    type: Type.Literal('text'),
    max_length: Type.Optional(Type.Integer({ minimum: 1, maximum: LIMITS.text_length })),
  }),
  Strict({
    ...asked,
    type: Type.Literal('choice'),
    options: Type.Array(
      Type.Union([Text(200), Strict({ value: Text(200), label: Type.Optional(Text(200)) })]),
      { minItems: 1, maxItems: LIMITS.options },
    ),
  }),
  /** A calendar date (`2026-03-31`, RFC 3339 full-date), meant to its end in the zone. */
  Strict({
    ...asked,
    type: Type.Literal('date'),
    zone: Type.Optional(Text(64)),
    max_ahead: Type.Optional(DurationText),
  }),
  Strict({
    ...asked,
    type: Type.Literal('duration'),
    min: Type.Optional(DurationText),
    max: Type.Optional(DurationText),
  }),
]);
export type RequestField = Static<typeof RequestField>;

export const RequestTypeStep = Strict({
  name: Text(100),
  needs: NeedText,
  /** Default 7d. */
  timeout: Type.Optional(DurationText),
  /** Default expire. A time-out never approves. */
  on_timeout: Type.Optional(
    Type.Union([Type.Literal('expire'), Type.Literal('deny'), Strict({ escalate_to: Sets })]),
  ),
  /** From when on the requester may escalate; only with `escalate_to`. */
  escalate_after: Type.Optional(DurationText),
  /** When those it asks are reminded, once; left out, after half of the timeout. */
  remind_after: Type.Optional(DurationText),
});

export const AddToGroup = Strict({
  add_to_group: Strict({
    /** A group's name, or `$key` of a choice field whose values are group names. */
    group: Text(200),
    /** `$key` of a required date or duration field. */
    until: Type.String({ pattern: '^\\$[a-z][a-z0-9_]{0,62}$' }),
  }),
});

export const RequestTypeDefinition = Strict({
  name: Text(100),
  description: Type.Optional(Text(2000, 0)),
  purpose: literals('server_access', 'group_membership'),
  audience: Type.Union([
    Type.Literal('everyone'),
    Strict({
      groups: Type.Array(Text(200), {
        minItems: 1,
        maxItems: LIMITS.audience_groups,
        uniqueItems: true,
      }),
    }),
  ]),
  fields: Type.Array(RequestField, { maxItems: LIMITS.fields }),
  steps: Type.Array(RequestTypeStep, { minItems: 1, maxItems: LIMITS.steps }),
  on_approved: Type.Array(Type.Union([Type.Literal('grant_access'), AddToGroup]), {
    minItems: 1,
    maxItems: 5,
  }),
  on_denied: Type.Optional(Type.Array(Type.Literal('deny_access'), { maxItems: 1 })),
  /** Older versions of this type whose approvals still count. */
  accepts: Type.Optional(
    Type.Array(Type.Integer({ minimum: 1 }), { maxItems: LIMITS.accepts, uniqueItems: true }),
  ),
  /** Whether it may be decided from a chat; left out, it may not. */
  chat: Type.Optional(Type.Boolean()),
  /**
   * Which proof a decision on it takes, of the login it is made with and of the last 15
   * minutes. Left out, `any`, and where there is no login (a token that was made for somebody, a
   * service user, a chat) none; written down, nothing but such a login decides.
   */
  approver_mfa: Type.Optional(literals('any', 'phr')),
  /** Whether it may put people into a privileged group; it then takes two people's approval. */
  grants_role: Type.Optional(Type.Boolean()),
});
export type RequestTypeDefinition = Static<typeof RequestTypeDefinition>;

/** A request type in the catalogue, as who may use it sees it. */
export const CatalogEntry = Strict({
  request_type: Strict({ id: Uuid, name: Type.String(), version: Type.Integer() }),
  description: Type.String(),
  purpose: Type.Enum(['server_access', 'group_membership']),
  fields: Type.Array(RequestField),
  /** Groups it can put its requester into; none where it is about servers. */
  groups: Type.Array(Named),
});
export type CatalogEntry = Static<typeof CatalogEntry>;
