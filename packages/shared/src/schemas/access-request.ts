import { type Static, Type } from 'typebox';
import { DateTime, Named, Nullable, Strict, Text, Uuid } from './common.ts';

export const AccessCredential = Type.Union([
  Strict({ type: Type.Literal('vaulted_account'), account_id: Uuid }),
  Strict({
    type: Type.Literal('principal_account'),
    admin_level_permissions: Type.Optional(Type.Boolean()),
  }),
]);
export type AccessCredential = Static<typeof AccessCredential>;

export const AccessRequestState = Type.Union(
  [
    'pending',
    'approved',
    'denied',
    'canceled',
    'expired',
    'active',
    'ended',
    'revoked',
    'failed',
  ].map((s) => Type.Literal(s)) as never,
);

export const Answers = Type.Record(
  Type.String({ pattern: '^[a-z][a-z0-9_]{0,62}$' }),
  Text(4000, 0),
);

export const NewAccessRequest = Strict({
  request_type_id: Uuid,
  target: Type.Union([
    Strict({
      type: Type.Literal('server_access'),
      server_id: Uuid,
      identity: Text(128),
      access_credential: AccessCredential,
    }),
    /** Which groups, and until when, the answers say. */
    Strict({ type: Type.Literal('group_membership') }),
  ]),
  answers: Answers,
});
export type NewAccessRequest = Static<typeof NewAccessRequest>;

export const Decision = Strict({
  id: Uuid,
  step: Type.Integer(),
  decision: Type.Union([Type.Literal('approve'), Type.Literal('deny')]),
  by: Named,
  for: Nullable(Named),
  comment: Nullable(Type.String()),
  decided_at: DateTime,
  /** When it was found not to stand any more: from then on it never counts. */
  voided_at: Nullable(DateTime),
});
export type Decision = Static<typeof Decision>;

export const RequestStep = Strict({
  index: Type.Integer(),
  name: Type.String(),
  state: Type.Union([
    Type.Literal('waiting'),
    Type.Literal('current'),
    Type.Literal('met'),
    Type.Literal('skipped'),
  ]),
  /** Trees of `{any, of}`, `{all}`, `{either}` with names: what is missing still. */
  still_needed: Type.Array(Type.Unknown()),
  expires_at: Nullable(DateTime),
});

export type RequestStep = Static<typeof RequestStep>;

export const ServerTarget = Strict({
  type: Type.Literal('server_access'),
  server: Strict({
    id: Uuid,
    name: Type.String(),
    os_type: Type.String(),
    project_name: Type.String(),
    labels: Type.Record(Type.String(), Type.String()),
  }),
  identity: Type.String(),
  access_credential: AccessCredential,
  privilege: Type.String(),
  channels: Type.Array(Type.String()),
  /** Longest period of the rules using the type, in seconds. */
  period_seconds: Type.Integer(),
});
export type ServerTarget = Static<typeof ServerTarget>;

/** One group of a request, and how long its membership lasts: to the end of a date, or so many seconds from the approval. */
export const AskedMembership = Strict({
  group: Named,
  /** RFC 3339 full-date; its end in the zone is the end of the membership. */
  date: Nullable(Type.String()),
  /** IANA name. */
  time_zone: Nullable(Type.String()),
  duration_seconds: Nullable(Type.Integer()),
  /** Null: counted from an approval that has not been given. */
  ends_at: Nullable(DateTime),
});
export type AskedMembership = Static<typeof AskedMembership>;

export const GroupTarget = Strict({
  type: Type.Literal('group_membership'),
  memberships: Type.Array(AskedMembership),
});
export type GroupTarget = Static<typeof GroupTarget>;

export const RequestTarget = Type.Union([ServerTarget, GroupTarget]);
export type RequestTarget = Static<typeof RequestTarget>;

export const AccessRequest = Strict({
  id: Uuid,
  state: Type.String(),
  etag: Type.String(),
  request_type: Strict({ id: Uuid, name: Type.String(), version: Type.Integer() }),
  requester: Named,
  target: RequestTarget,
  answers: Type.Record(Type.String(), Type.String()),
  steps: Type.Array(RequestStep),
  decisions: Type.Array(Decision),
  comments: Type.Array(Strict({ id: Uuid, by: Named, text: Type.String(), created_at: DateTime })),
  approval: Nullable(
    Strict({
      id: Uuid,
      approved_at: DateTime,
      revoked_at: Nullable(DateTime),
      ended_at: Nullable(DateTime),
    }),
  ),
  created_at: DateTime,
  resolved_at: Nullable(DateTime),
  ends_at: Nullable(DateTime),
  end_reason: Nullable(Type.String()),
});
export type AccessRequest = Static<typeof AccessRequest>;
