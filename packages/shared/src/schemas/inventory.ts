import { type Static, Type } from 'typebox';
import { Labels, Named, Nullable, Strict, Text, Uuid } from './common.ts';
import { SshPublicKey } from './session.ts';

/** A server as a person who can reach it sees it. */
export const ReachableServer = Strict({
  id: Uuid,
  name: Type.String(),
  os_type: Type.String(),
  project_name: Type.String(),
  access_address: Type.String(),
  access_port: Type.Integer(),
  via: Type.Union([Type.Literal('gateway'), Type.Literal('direct')]),
  labels: Type.Record(Type.String(), Type.String()),
});
export type ReachableServer = Static<typeof ReachableServer>;

export const Account = Strict({
  id: Uuid,
  username: Type.String(),
  credential: Type.Union([
    Type.Literal('password'),
    Type.Literal('private_key'),
    Type.Literal('certificate'),
  ]),
  /** A secret is sealed for the server's present identity revision. */
  usable: Type.Boolean(),
});

/** A server as its admins see it. */
export const Server = Strict({
  id: Uuid,
  hostname: Type.String(),
  canonical_name: Nullable(Type.String()),
  alt_names: Type.Array(Type.String()),
  resource_group: Named,
  project: Named,
  access_address: Type.String(),
  access_port: Type.Integer(),
  os_type: Type.String(),
  labels: Type.Record(Type.String(), Type.String()),
  host_keys: Type.Array(SshPublicKey),
  via: Type.String(),
  state: Type.String(),
  admin_account_template: Nullable(Type.String()),
  allow_local_address: Type.Boolean(),
  identity_revision: Type.Integer(),
  accounts: Type.Array(Account),
});
export type Server = Static<typeof Server>;

const Hostname = Type.String({ minLength: 1, maxLength: 253 });

/** What an admin writes; in files and in bodies alike. */
export const ServerFields = {
  hostname: Hostname,
  canonical_name: Type.Optional(Nullable(Hostname)),
  alt_names: Type.Optional(Type.Array(Hostname, { maxItems: 20 })),
  access_address: Text(253),
  access_port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535 })),
  os_type: Type.Optional(Text(40)),
  labels: Type.Optional(Labels),
  host_keys: Type.Optional(Type.Array(SshPublicKey, { maxItems: 8 })),
  via: Type.Optional(Type.Union([Type.Literal('gateway'), Type.Literal('direct')])),
  state: Type.Optional(Type.Union([Type.Literal('ACTIVE'), Type.Literal('INACTIVE')])),
  admin_account_template: Type.Optional(Nullable(Text(64))),
  allow_local_address: Type.Optional(Type.Boolean()),
} as const;

export const ServerPatch = Type.Partial(Strict(ServerFields), {
  // Partial keeps no option of what it is made from.
  additionalProperties: false,
  minProperties: 1,
});
export type ServerPatch = Static<typeof ServerPatch>;

/** A vaulted account's credential. The secret is write-only: no operation answers it. */
export const Credential = Type.Union([
  Strict({ type: Type.Literal('password'), password: Text(1024) }),
  Strict({
    type: Type.Literal('private_key'),
    private_key: Text(16_384),
  }),
]);
export type Credential = Static<typeof Credential>;
