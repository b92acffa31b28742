import { type Static, Type } from 'typebox';
import { DateTime, Named, Nullable, Strict, Text, Uuid } from './common.ts';

/** A system that is told when a membership changes by request. */
export const PushTarget = Strict({
  id: Uuid,
  name: Type.String(),
  url: Type.String(),
  groups: Type.Array(Named),
  created_by: Named,
  created_at: DateTime,
});
export type PushTarget = Static<typeof PushTarget>;

const GroupNames = Type.Array(Text(200), { uniqueItems: true, maxItems: 1_000 });

export const NewPushTarget = Strict({
  name: Text(100),
  url: Text(2_048),
  token: Text(4_096),
  groups: Type.Optional(GroupNames),
});

export const PushTargetGroups = Strict({ groups: GroupNames });

export const PUSH_STATES = ['waiting', 'done', 'dead'] as const;
export const PushState = Type.Union([
  Type.Literal(PUSH_STATES[0]),
  Type.Literal(PUSH_STATES[1]),
  Type.Literal(PUSH_STATES[2]),
]);

/** What one target knows of one user in one group. */
export const Push = Strict({
  id: Uuid,
  state: PushState,
  target: Named,
  group: Named,
  user: Named,
  request_id: Nullable(Uuid),
  /** What the target was told last. */
  told: Nullable(Type.Union([Type.Literal('add'), Type.Literal('remove')])),
  attempts: Type.Integer(),
  last_error: Nullable(Type.String()),
  next_at: Nullable(DateTime),
  pushed_at: Nullable(DateTime),
});
export type Push = Static<typeof Push>;
