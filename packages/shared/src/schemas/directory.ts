import { type Static, Type } from 'typebox';
import { ROLES } from '../operations/operation.ts';
import { DateTime, Named, Nullable, Strict, Text, Uuid } from './common.ts';

export const RoleName = Type.Union([
  Type.Literal(ROLES[0]),
  Type.Literal(ROLES[1]),
  Type.Literal(ROLES[2]),
  Type.Literal(ROLES[3]),
  Type.Literal(ROLES[4]),
]);

export const User = Strict({
  id: Uuid,
  login: Type.String(),
  name: Type.String(),
  email: Nullable(Type.String()),
  type: Type.String(),
  status: Type.String(),
  manager: Nullable(Named),
  unix_name: Nullable(Type.String()),
  attributes: Type.Record(Type.String(), Type.String()),
  created_at: DateTime,
});
export type User = Static<typeof User>;

export const WhoAmI = Strict({
  user: User,
  team: Type.String(),
  roles: Type.Array(RoleName),
  groups: Type.Array(Strict({ id: Uuid, name: Type.String(), until: Nullable(DateTime) })),
  token: Strict({
    id: Uuid,
    expires_at: DateTime,
    issued_by: Nullable(Named),
  }),
});
export type WhoAmI = Static<typeof WhoAmI>;

/** A source of memberships that nobody here decides on one by one. */
export const GroupSource = Type.Union([Type.Literal('scim'), Type.Literal('rule')]);
export type GroupSource = Static<typeof GroupSource>;

export const Group = Strict({
  id: Uuid,
  name: Type.String(),
  source: Type.String(),
  roles: Type.Array(RoleName),
  owners: Type.Array(Named),
  /** Why it is privileged, a line each; empty: it is not. */
  privileged_by: Type.Array(Type.String()),
  /** Where members may come from although it is privileged, besides an admin and requests. */
  privileged_sources: Type.Array(GroupSource),
});
export type Group = Static<typeof Group>;

export const GroupRule = Strict({
  id: Uuid,
  name: Type.String(),
  group: Named,
  /** A filter of RFC 7644 over the profile, e.g. `department eq "Platform"`. */
  when: Type.String(),
  created_at: DateTime,
  updated_at: DateTime,
});
export type GroupRule = Static<typeof GroupRule>;

export const Membership = Strict({
  id: Uuid,
  user: Named,
  source: Type.String(),
  request_id: Nullable(Uuid),
  expires_at: Nullable(DateTime),
});

export const UserPatch = Type.Partial(
  Strict({
    name: Text(200),
    email: Nullable(Text(254)),
    status: Type.Union([Type.Literal('ACTIVE'), Type.Literal('DISABLED'), Type.Literal('DELETED')]),
    manager_id: Nullable(Uuid),
  }),
  // Partial keeps no option of what it is made from.
  { additionalProperties: false, minProperties: 1 },
);

export const Token = Strict({
  id: Uuid,
  name: Type.String(),
  user: Named,
  issued_by: Nullable(Named),
  created_at: DateTime,
  expires_at: DateTime,
  revoked_at: Nullable(DateTime),
});
export type Token = Static<typeof Token>;
