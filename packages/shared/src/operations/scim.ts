import { Type } from 'typebox';
import { Page, PageQuery, Strict, Uuid } from '../schemas/common.ts';
import { Group } from '../schemas/directory.ts';
import {
  NewScimConnection,
  ScimConnection,
  ScimConnectionPatch,
  ScimLink,
  ScimToken,
} from '../schemas/scim.ts';
import { type Grant, operation, TEAM } from './operation.ts';

const tag = 'scim';
const PATH = `${TEAM}/scim_connections` as const;
const one = Strict({ team: Type.String(), id: Uuid });
const write: readonly Grant[] = [['pam_admin', 'any']];

export const scimOperations = {
  createScimConnection: operation({
    id: 'createScimConnection',
    method: 'POST',
    path: PATH,
    tag,
    summary: 'Let an identity provider push users and groups to /scim/v2; its token is shown once',
    access: write,
    body: NewScimConnection,
    ok: { 201: ScimToken },
    secret: true,
  }),
  listScimConnections: operation({
    id: 'listScimConnections',
    method: 'GET',
    path: PATH,
    tag,
    summary: 'SCIM connections, revoked ones included',
    access: [
      ['pam_admin', 'any'],
      ['auditor', 'any'],
    ],
    query: Strict({ ...PageQuery }),
    ok: { 200: Page(ScimConnection) },
  }),
  updateScimConnection: operation({
    id: 'updateScimConnection',
    method: 'PATCH',
    path: `${PATH}/{id}`,
    tag,
    summary: 'What of its users is believed',
    access: write,
    params: one,
    body: ScimConnectionPatch,
    ok: { 200: ScimConnection },
  }),
  rotateScimToken: operation({
    id: 'rotateScimToken',
    method: 'POST',
    path: `${PATH}/{id}/token`,
    tag,
    summary: 'A new token for a connection; the one before ends at once',
    access: write,
    params: one,
    ok: { 201: ScimToken },
    secret: true,
  }),
  revokeScimConnection: operation({
    id: 'revokeScimConnection',
    method: 'DELETE',
    path: `${PATH}/{id}`,
    tag,
    summary: 'End a connection for good; its users and groups stay, and are changed here again',
    access: write,
    params: one,
    ok: { 204: Type.Null() },
  }),
  linkScimGroup: operation({
    id: 'linkScimGroup',
    method: 'POST',
    path: `${PATH}/{id}/groups`,
    tag,
    summary: 'Let the next push of this name, or external id, take over a group that is here',
    access: write,
    params: one,
    body: ScimLink,
    ok: { 200: Group },
  }),
} as const;
