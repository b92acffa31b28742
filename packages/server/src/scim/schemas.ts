import SCIMMY from 'scimmy';

/** Schema ids of RFC 7643 and 7644. */
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse';
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error';

// The library keeps its schemas in the process. Nothing of a connection goes in there.
SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false));
SCIMMY.Resources.declare(SCIMMY.Resources.Group);

export type Json = Readonly<Record<string, unknown>>;

/** An attribute as the schema has it: its name with its case, and what it holds. */
export interface Attribute {
  readonly name: string;
  readonly multiValued: boolean;
  readonly complex: boolean;
  readonly boolean: boolean;
  /** By their names in lower case. */
  readonly subs: ReadonlyMap<string, Attribute>;
}

interface Described {
  readonly name: string;
  readonly type: string;
  readonly multiValued: boolean;
  readonly subAttributes?: readonly Described[];
}

function attributesOf(described: readonly Described[]): ReadonlyMap<string, Attribute> {
  return new Map(
    described.map(({ name, type, multiValued, subAttributes = [] }) => [
      name.toLowerCase(),
      {
        name,
        multiValued,
        complex: type === 'complex',
        boolean: type === 'boolean',
        subs: attributesOf(subAttributes),
      },
    ]),
  );
}

/** As it is written: the library's own objects have some of it elsewhere. */
const described = (schema: { definition: { describe(): unknown } }): readonly Described[] =>
  JSON.parse(JSON.stringify(schema.definition.describe())).attributes;

const EXTERNAL_ID: Described = { name: 'externalId', type: 'string', multiValued: false };

/** What a user has (RFC 7643 §4.1, §4.3), by names in lower case. */
export const USER_ATTRIBUTES = attributesOf([EXTERNAL_ID, ...described(SCIMMY.Schemas.User)]);
export const ENTERPRISE_ATTRIBUTES = attributesOf(described(SCIMMY.Schemas.EnterpriseUser));

export const listResponse = (
  Resources: readonly unknown[],
  { startIndex, totalResults }: { readonly startIndex: number; readonly totalResults: number },
) => ({
  schemas: [LIST],
  totalResults,
  startIndex,
  itemsPerPage: Resources.length,
  Resources,
});

export const errorBody = (status: number, scimType: string | undefined, detail: string) => ({
  schemas: [ERROR],
  status: String(status),
  ...(scimType === undefined ? {} : { scimType }),
  detail,
});
