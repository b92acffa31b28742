import { type Static, Type } from 'typebox';
import { Strict, Text } from './common.ts';
import { GroupSource, RoleName } from './directory.ts';
import { Credential, ServerFields } from './inventory.ts';
import { ReviewTerms } from './review.ts';

const Login = Text(200);
const Name = Text(100);

/** Documents of `sft-admin apply -f`; things are named by name, the service resolves ids. */
export const GroupDocument = Strict({
  kind: Type.Literal('Group'),
  name: Name,
  roles: Type.Optional(Type.Array(RoleName, { uniqueItems: true })),
  owners: Type.Optional(Type.Array(Login, { maxItems: 50 })),
  /** Where its members may come from while it is privileged, besides an admin and requests. */
  privileged_sources: Type.Optional(Type.Array(GroupSource, { uniqueItems: true })),
  /** How its owners review who is in it. Left out: as it is. */
  review: Type.Optional(ReviewTerms),
});
export type GroupDocument = Static<typeof GroupDocument>;

export const GroupRuleDocument = Strict({
  kind: Type.Literal('GroupRule'),
  name: Name,
  group: Name,
  /** A filter of RFC 7644 over the profile, e.g. `department eq "Platform"`. */
  when: Text(2000),
});
export type GroupRuleDocument = Static<typeof GroupRuleDocument>;

export const UserDocument = Strict({
  kind: Type.Literal('User'),
  login: Login,
  name: Text(200),
  email: Type.Optional(Text(254)),
  type: Type.Optional(Type.Union([Type.Literal('human'), Type.Literal('service')])),
  manager: Type.Optional(Login),
  unix_name: Type.Optional(Text(32)),
  /** Direct memberships, all of them: one that is not named here is ended. */
  groups: Type.Optional(Type.Array(Name, { maxItems: 500 })),
  /** Persons a service user stands for. */
  owners: Type.Optional(Type.Array(Login, { maxItems: 20 })),
  attributes: Type.Optional(Type.Record(Type.String(), Text(1000, 0), { maxProperties: 64 })),
});
export type UserDocument = Static<typeof UserDocument>;

export const ResourceGroupDocument = Strict({
  kind: Type.Literal('ResourceGroup'),
  name: Name,
  owners: Type.Optional(Type.Array(Login, { maxItems: 50 })),
  projects: Type.Array(Name, { minItems: 1, maxItems: 100 }),
});
export type ResourceGroupDocument = Static<typeof ResourceGroupDocument>;

export const ServerDocument = Strict({
  kind: Type.Literal('Server'),
  resource_group: Name,
  project: Name,
  ...ServerFields,
  accounts: Type.Optional(
    Type.Array(
      Strict({
        username: Text(64),
        /** Left out: the account keeps the credential it has. */
        credential: Type.Optional(Credential),
      }),
      { maxItems: 100 },
    ),
  ),
});
export type ServerDocument = Static<typeof ServerDocument>;

/** `kind: RequestType` and a request type's definition beside it. */
export const RequestTypeDocument = Type.Object({ kind: Type.Literal('RequestType') });
/** `kind: SecurityPolicy` and a policy beside it, things referred to as `{name: …}`. */
export const SecurityPolicyDocument = Type.Object({ kind: Type.Literal('SecurityPolicy') });

export const DOCUMENT_KINDS = [
  'Group',
  'User',
  'GroupRule',
  'ResourceGroup',
  'Server',
  'RequestType',
  'SecurityPolicy',
] as const;
export type DocumentKind = (typeof DOCUMENT_KINDS)[number];

export const ApplyBody = Strict({
  dry_run: Type.Optional(Type.Boolean()),
  documents: Type.Array(Type.Object({ kind: Text(40) }), { minItems: 1, maxItems: 10_000 }),
});

export const Change = Strict({
  kind: Type.String(),
  name: Type.String(),
  action: Type.Union([Type.Literal('create'), Type.Literal('update'), Type.Literal('unchanged')]),
  /** What changes, a line each; no secret. */
  details: Type.Array(Type.String()),
});
export type Change = Static<typeof Change>;
