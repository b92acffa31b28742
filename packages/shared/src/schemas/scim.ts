import { type Static, Type } from 'typebox';
import { DateTime, Named, Nullable, Strict, Text, Uuid } from './common.ts';

/** What of a pushed user is believed only where the connection is marked authoritative for it. */
export const SCIM_AUTHORITATIVE = [
  'manager',
  'costCenter',
  'department',
  'division',
  'employeeNumber',
  'organization',
  'title',
  'userType',
] as const;

const Authoritative = Type.Array(Type.Union(SCIM_AUTHORITATIVE.map((name) => Type.Literal(name))), {
  uniqueItems: true,
  maxItems: SCIM_AUTHORITATIVE.length,
});

/** An identity provider that pushes users and groups. */
export const ScimConnection = Strict({
  id: Uuid,
  name: Type.String(),
  authoritative: Type.Array(Type.String()),
  created_by: Named,
  created_at: DateTime,
  token_made_at: Nullable(DateTime),
  revoked_at: Nullable(DateTime),
  users: Type.Integer(),
  groups: Type.Integer(),
});
export type ScimConnection = Static<typeof ScimConnection>;

export const NewScimConnection = Strict({
  name: Text(100),
  authoritative: Type.Optional(Authoritative),
});

export const ScimConnectionPatch = Strict({ authoritative: Authoritative });

/** The bearer token of a connection. Shown this once. */
export const ScimToken = Strict({ id: Uuid, name: Type.String(), token: Type.String() });
export type ScimToken = Static<typeof ScimToken>;

export const ScimLink = Strict({ group: Text(200), external_id: Type.Optional(Text(200)) });
