import { Type } from 'typebox';
import { Strict, Uuid } from '../schemas/common.ts';
import { Identity, Invitation } from '../schemas/credentials.ts';
import { operation, TEAM } from './operation.ts';

const tag = 'directory';
const params = Strict({ team: Type.String(), id: Uuid });

export const credentialOperations = {
  createInvitation: operation({
    id: 'createInvitation',
    method: 'POST',
    path: `${TEAM}/users/{id}/invitation`,
    tag,
    summary: 'The code, valid once within 24 h, with which a person sets his password',
    access: [['pam_admin', 'any']],
    changes_caller: true,
    params,
    ok: { 201: Invitation },
    secret: true,
  }),
  resetFactors: operation({
    id: 'resetFactors',
    method: 'DELETE',
    path: `${TEAM}/users/{id}/factors`,
    tag,
    summary: 'Remove the authenticator app and the passkeys of somebody who lost them',
    access: [['pam_admin', 'any']],
    params,
    ok: { 204: Type.Null() },
  }),
  linkIdentity: operation({
    id: 'linkIdentity',
    method: 'PUT',
    path: `${TEAM}/users/{id}/identity`,
    tag,
    summary: 'Say who somebody is at the OpenID provider; logins made before it end',
    access: [['pam_admin', 'any']],
    changes_caller: true,
    params,
    body: Identity,
    ok: { 204: Type.Null() },
  }),
  unlinkIdentity: operation({
    id: 'unlinkIdentity',
    method: 'DELETE',
    path: `${TEAM}/users/{id}/identity`,
    tag,
    summary: 'Let somebody log in with the OpenID provider no more; logins made before it end',
    access: [['pam_admin', 'any']],
    changes_caller: true,
    params,
    ok: { 204: Type.Null() },
  }),
} as const;
