import { type Static, Type } from 'typebox';
import { ApplyBody, Change } from '../schemas/apply.ts';
import { Named, Nullable, Page, PageQuery, Strict, Text, Uuid } from '../schemas/common.ts';
import { SecurityPolicy } from '../schemas/policy.ts';
import { CatalogEntry, RequestTypeDefinition } from '../schemas/request-type.ts';
import { type Grant, operation, TEAM } from './operation.ts';

const one = Strict({ team: Type.String(), id: Uuid });
const read: readonly Grant[] = [
  ['security_admin', 'any'],
  ['auditor', 'any'],
];
const write: readonly Grant[] = [['security_admin', 'any']];

const StoredPolicy = Strict({ etag: Type.String(), policy: SecurityPolicy });

export const RequestTypeView = Strict({
  id: Uuid,
  name: Type.String(),
  state: Type.String(),
  etag: Type.String(),
  published_version: Nullable(Type.Integer()),
  digest: Nullable(Type.String()),
  /** What runs; while nothing was published, the draft. */
  definition: RequestTypeDefinition,
  /** What would be published, where that is something else. */
  draft: Nullable(RequestTypeDefinition),
});

/** People to whom a policy offers something that this request type could not give them. */
export const RequestTypeFinding = Strict({
  request_type: Named,
  version: Type.Integer(),
  policy: Named,
  rule: Type.String(),
  reason: Type.Union([Type.Literal('no_eligible_approver'), Type.Literal('not_in_audience')]),
  /** The first step that could not be met. */
  step: Nullable(Type.String()),
  /** Whom it lacks: `2 of group:approvers (1 could)`. */
  missing: Nullable(Type.String()),
  people: Type.Array(Named),
});
export type RequestTypeFinding = Static<typeof RequestTypeFinding>;

export const policyOperations = {
  listSecurityPolicies: operation({
    id: 'listSecurityPolicies',
    method: 'GET',
    path: `${TEAM}/security_policy`,
    tag: 'policies',
    summary: 'Security policies',
    access: read,
    query: Strict({ ...PageQuery, name: Type.Optional(Text(200)) }),
    ok: { 200: Page(StoredPolicy) },
  }),
  createSecurityPolicy: operation({
    id: 'createSecurityPolicy',
    method: 'POST',
    path: `${TEAM}/security_policy`,
    tag: 'policies',
    summary: 'Create a security policy',
    access: write,
    body: Type.Object({}),
    ok: { 201: StoredPolicy },
  }),
  getSecurityPolicy: operation({
    id: 'getSecurityPolicy',
    method: 'GET',
    path: `${TEAM}/security_policy/{id}`,
    tag: 'policies',
    summary: 'One security policy',
    access: read,
    params: one,
    ok: { 200: StoredPolicy },
  }),
  replaceSecurityPolicy: operation({
    id: 'replaceSecurityPolicy',
    method: 'PUT',
    path: `${TEAM}/security_policy/{id}`,
    tag: 'policies',
    summary: 'Replace a security policy; live sessions are evaluated again',
    access: write,
    params: one,
    if_match: 'required',
    body: Type.Object({}),
    ok: { 200: StoredPolicy },
  }),
  deleteSecurityPolicy: operation({
    id: 'deleteSecurityPolicy',
    method: 'DELETE',
    path: `${TEAM}/security_policy/{id}`,
    tag: 'policies',
    summary: 'Delete a security policy; live sessions are evaluated again',
    access: write,
    params: one,
    ok: { 204: Type.Null() },
  }),
  listRequestTypes: operation({
    id: 'listRequestTypes',
    method: 'GET',
    path: `${TEAM}/request_types`,
    tag: 'request types',
    summary: 'Request types',
    access: read,
    query: Strict({ ...PageQuery, name: Type.Optional(Text(200)) }),
    ok: { 200: Page(RequestTypeView) },
  }),
  listCatalog: operation({
    id: 'listCatalog',
    method: 'GET',
    path: `${TEAM}/catalog`,
    tag: 'request types',
    summary: 'The request types that the caller may use, with what they ask',
    access: [['end_user', 'self']],
    ok: { 200: Strict({ list: Type.Array(CatalogEntry) }) },
  }),
  createRequestType: operation({
    id: 'createRequestType',
    method: 'POST',
    path: `${TEAM}/request_types`,
    tag: 'request types',
    summary: 'Create a request type as a draft',
    access: write,
    body: Type.Object({}),
    ok: { 201: RequestTypeView },
  }),
  getRequestType: operation({
    id: 'getRequestType',
    method: 'GET',
    path: `${TEAM}/request_types/{id}`,
    tag: 'request types',
    summary: 'One request type; its fields are what a requester is asked',
    access: [['end_user', 'any'], ...read],
    params: one,
    ok: { 200: RequestTypeView },
  }),
  lintRequestTypes: operation({
    id: 'lintRequestTypes',
    method: 'GET',
    path: `${TEAM}/request_types/lint`,
    tag: 'request types',
    summary: 'For every published type and every policy that uses it, whom it could not serve',
    access: read,
    ok: { 200: Strict({ list: Type.Array(RequestTypeFinding) }) },
  }),
  replaceRequestType: operation({
    id: 'replaceRequestType',
    method: 'PUT',
    path: `${TEAM}/request_types/{id}`,
    tag: 'request types',
    summary: 'Replace the draft; what runs stays until the draft is published',
    access: write,
    params: one,
    if_match: 'required',
    body: Type.Object({}),
    ok: { 200: RequestTypeView },
  }),
  retireRequestType: operation({
    id: 'retireRequestType',
    method: 'DELETE',
    path: `${TEAM}/request_types/{id}`,
    tag: 'request types',
    summary: 'Take it out of use; refused while an active policy names it',
    access: write,
    params: one,
    ok: { 204: Type.Null() },
  }),
  publishRequestType: operation({
    id: 'publishRequestType',
    method: 'POST',
    path: `${TEAM}/request_types/{id}/publish`,
    tag: 'request types',
    summary: 'Publish the draft as an immutable version; refused when it can never be met',
    access: write,
    params: one,
    ok: { 200: RequestTypeView },
  }),
  apply: operation({
    id: 'apply',
    method: 'POST',
    path: `${TEAM}/apply`,
    tag: 'apply',
    summary: 'Bring the world to what the documents say, all or nothing, in one transaction',
    access: [
      ['pam_admin', 'any'],
      ['security_admin', 'any'],
    ],
    secret: true,
    body: ApplyBody,
    ok: { 200: Strict({ dry_run: Type.Boolean(), changes: Type.Array(Change) }) },
  }),
} as const;
