import { type TSchema, Type } from 'typebox';
import {
  type DocumentKind,
  GroupDocument,
  GroupRuleDocument,
  ResourceGroupDocument,
  ServerDocument,
  UserDocument,
} from './apply.ts';
import { Strict } from './common.ts';
import { SecurityPolicy } from './policy.ts';
import { RequestTypeDefinition } from './request-type.ts';

interface ObjectSchema {
  readonly properties: Readonly<Record<string, TSchema>>;
  readonly required?: readonly string[];
}

/** The same with `kind` in front. */
function kinded(kind: DocumentKind, schema: TSchema): TSchema {
  const { properties, required = [] } = schema as unknown as ObjectSchema;
  return {
    ...schema,
    properties: { kind: Type.Literal(kind), ...properties },
    required: ['kind', ...required],
  } as unknown as TSchema;
}

const secretType = Type.Union([Type.Literal('password'), Type.Literal('private_key')]);

/** In a file a credential is named, never written. */
const FileCredential = Type.Union([
  Strict({ type: secretType, from_env: Type.String({ minLength: 1 }) }),
  Strict({ type: secretType, from_file: Type.String({ minLength: 1 }) }),
]);

function serverInFile(): TSchema {
  const server = structuredClone(ServerDocument) as unknown as {
    properties: { accounts: { items: { properties: { credential: TSchema } } } };
  };
  server.properties.accounts.items.properties.credential = FileCredential;
  return server as unknown as TSchema;
}

/** What a policy may leave out; `read` in the service fills it in. */
const DEFAULTED = new Set([
  ...['id', 'description', 'active', 'resource_group', 'override_checkout_duration_in_seconds'],
  ...['channels', 'admin_level_permissions', 'conditions'],
]);

/** A stored policy as a person writes it: by name or by id, without what has a default. */
function asWritten(schema: TSchema): TSchema {
  const { properties, required, items, anyOf } = schema as unknown as Partial<ObjectSchema> & {
    items?: TSchema;
    anyOf?: readonly TSchema[];
  };
  if (anyOf !== undefined) return { ...schema, anyOf: anyOf.map(asWritten) } as TSchema;
  if (items !== undefined) return { ...schema, items: asWritten(items) } as TSchema;
  if (properties === undefined) return schema;
  const isReference = Object.keys(properties).sort().join() === 'id,name';
  return {
    ...schema,
    properties: Object.fromEntries(
      Object.entries(properties).map(([key, value]) => [key, asWritten(value)]),
    ),
    required: isReference ? [] : (required ?? []).filter((key) => !DEFAULTED.has(key)),
    ...(isReference ? { minProperties: 1 } : {}),
  } as unknown as TSchema;
}

/** By kind, what a YAML document of `sft-admin apply -f` may hold. */
export const FILE_DOCUMENTS: Readonly<Record<DocumentKind, TSchema>> = {
  Group: GroupDocument,
  User: UserDocument,
  GroupRule: GroupRuleDocument,
  ResourceGroup: ResourceGroupDocument,
  Server: serverInFile(),
  RequestType: kinded('RequestType', RequestTypeDefinition),
  SecurityPolicy: kinded('SecurityPolicy', asWritten(SecurityPolicy)),
};
