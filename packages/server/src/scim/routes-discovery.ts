import SCIMMY from 'scimmy';
import { BODY_LIMIT } from '../platform/body.ts';
import { noSuch } from './fault.ts';
import { MAX_COUNT } from './query.ts';
import { MAX_BULK } from './routes-bulk.ts';
import { type Json, listResponse } from './schemas.ts';

export type Discovery = 'ServiceProviderConfig' | 'ResourceTypes' | 'Schemas';

const CONFIG = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
  patch: { supported: true },
  bulk: { supported: true, maxOperations: MAX_BULK, maxPayloadSize: BODY_LIMIT },
  filter: { supported: true, maxResults: MAX_COUNT },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token of a connection',
      description: 'Made by `sft-admin scim create`, sent as Authorization: Bearer.',
      specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
      primary: true,
    },
  ],
};

const RESOURCE_TYPE = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType';
const SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema';

/** What RFC 7644 §4 lets a client find out. @throws ScimFault 404 */
export async function discover(name: Discovery, base: string, id?: string): Promise<Json> {
  if (name === 'ServiceProviderConfig')
    return {
      ...CONFIG,
      meta: { resourceType: name, location: `${base}/${name}` },
    };
  const all = name === 'Schemas' ? schemas(base) : resourceTypes(base);
  if (id === undefined) return listResponse(all, { startIndex: 1, totalResults: all.length });
  const found = all.find((resource) => resource.id === id);
  if (found === undefined) throw noSuch(name === 'Schemas' ? 'schema' : 'resource type');
  return found;
}

const schemas = (base: string): Json[] =>
  [SCIMMY.Schemas.User, SCIMMY.Schemas.EnterpriseUser, SCIMMY.Schemas.Group].map((schema) => {
    const described = schema.definition.describe() as unknown as Json;
    const meta = { resourceType: 'Schema', location: `${base}/Schemas/${described.id}` };
    return { schemas: [SCHEMA], ...described, meta };
  });

const resourceTypes = (base: string): Json[] =>
  [SCIMMY.Resources.User, SCIMMY.Resources.Group].map((resource) => {
    const described = resource.describe() as unknown as Json;
    const meta = {
      resourceType: 'ResourceType',
      location: `${base}/ResourceTypes/${described.id}`,
    };
    return { schemas: [RESOURCE_TYPE], ...described, meta };
  });
