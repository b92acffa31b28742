import { Type } from 'typebox';
import { ApplyBody, Change } from '../schemas/apply.ts';
import { Nullable, Page, PageQuery, Strict, Text, Uuid } from '../schemas/common.ts';
import { SecurityPolicy } from '../schemas/policy.ts';
import { RequestTypeDefinition } from '../schemas/request-type.ts';
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
  definition: RequestTypeDefinition,
});

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
