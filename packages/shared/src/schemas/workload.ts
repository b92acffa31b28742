import { type Static, Type } from 'typebox';
import { DateTime, Named, Nullable, Strict, Text, Uuid } from './common.ts';

const Name = Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$' });
const Url = Text(500);
const Provider = Type.Union([
  Type.Literal('github'),
  Type.Literal('gitlab'),
  Type.Literal('generic'),
]);
const UnnamedPeople = Type.Union([Type.Literal('need_two'), Type.Literal('accepted')]);
const ClaimsToPin = Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.:/-]{1,100}$' }), Text(500), {
  minProperties: 1,
  maxProperties: 30,
});

/** An issuer that is trusted to say which job somebody is, and which service user that means. */
export const WorkloadConnection = Strict({
  id: Uuid,
  name: Type.String(),
  provider: Provider,
  issuer: Type.String(),
  jwks_url: Type.String(),
  audience: Type.String(),
  unnamed_people: UnnamedPeople,
  rules: Type.Array(
    Strict({
      service_user: Strict({ id: Uuid, login: Type.String() }),
      claims: Type.Record(Type.String(), Type.String()),
      ref_pattern: Nullable(Type.String()),
    }),
  ),
  created_by: Named,
  created_at: DateTime,
  updated_at: DateTime,
});
export type WorkloadConnection = Static<typeof WorkloadConnection>;

export const NewWorkloadConnection = Strict({
  name: Name,
  provider: Provider,
  issuer: Url,
  /** Default: where the provider is known to have its keys. */
  jwks_url: Type.Optional(Url),
  /** Default: where this service is reached. */
  audience: Type.Optional(Url),
  /** Default: need_two. */
  unnamed_people: Type.Optional(UnnamedPeople),
  rules: Type.Array(
    Strict({
      /** By login. */
      service_user: Text(200),
      claims: ClaimsToPin,
      ref_pattern: Type.Optional(Text(200)),
    }),
    { minItems: 1, maxItems: 100 },
  ),
});
export type NewWorkloadConnection = Static<typeof NewWorkloadConnection>;

/** Which person an account at a provider is. */
export const WorkloadPerson = Strict({
  id: Uuid,
  issuer: Type.String(),
  actor_id: Type.String(),
  user: Named,
  created_at: DateTime,
});
export type WorkloadPerson = Static<typeof WorkloadPerson>;

export const NewWorkloadPerson = Strict({
  issuer: Url,
  actor_id: Type.String({ pattern: '^[A-Za-z0-9._:-]{1,100}$' }),
  login: Text(200),
});

/** What a job or a service user logs in with; the token is shown this once. */
export const ServiceToken = Strict({
  token: Type.String(),
  expires_at: DateTime,
  service_user: Strict({ id: Uuid, login: Type.String() }),
});
export type ServiceToken = Static<typeof ServiceToken>;

export const WorkloadJwt = Strict({ jwt: Text(16_384) });

/** RFC 7523 §2.2: an assertion that the service user signed with one of its keys. */
export const ServiceAssertion = Strict({
  client_assertion: Text(8_192),
  client_assertion_type: Type.Optional(
    Type.Literal('urn:ietf:params:oauth:client-assertion-type:jwt-bearer'),
  ),
});

/** A public key of a service user; its id as RFC 7638 makes it is the `kid` of what it signs. */
export const ServiceUserKey = Strict({
  id: Uuid,
  name: Type.String(),
  kid: Type.String(),
  alg: Type.String(),
  added_by: Named,
  created_at: DateTime,
});
export type ServiceUserKey = Static<typeof ServiceUserKey>;

export const NewServiceUserKey = Strict({
  name: Text(100),
  /** A JWK, or PEM (SPKI). Ed25519, P-256, or RSA of 2048 to 8192 bits. */
  public_key: Text(8_192),
});
