import { Type } from 'typebox';
import { Page, PageQuery, Strict, Text, Uuid } from '../schemas/common.ts';
import {
  Group,
  Membership,
  RoleName,
  Token,
  User,
  UserPatch,
  WhoAmI,
} from '../schemas/directory.ts';
import { type Grant, operation, TEAM } from './operation.ts';

const tag = 'directory';
const one = Strict({ team: Type.String(), id: Uuid });
const member = Strict({ team: Type.String(), id: Uuid, user_id: Uuid });
const read: readonly Grant[] = [
  ['pam_admin', 'any'],
  ['security_admin', 'any'],
  ['auditor', 'any'],
];
const write: readonly Grant[] = [['pam_admin', 'any']];

export const directoryOperations = {
  whoami: operation({
    id: 'whoami',
    method: 'GET',
    path: `${TEAM}/whoami`,
    tag,
    summary: 'Who the token stands for, with roles and groups',
    access: 'authenticated',
    cached_auth: true,
    ok: { 200: WhoAmI },
  }),
  listUsers: operation({
    id: 'listUsers',
    method: 'GET',
    path: `${TEAM}/users`,
    tag,
    summary: 'Users',
    access: read,
    query: Strict({ ...PageQuery, login: Type.Optional(Text(200)) }),
    ok: { 200: Page(User) },
  }),
  updateUser: operation({
    id: 'updateUser',
    method: 'PATCH',
    path: `${TEAM}/users/{id}`,
    tag,
    summary:
      'Change a user; disabling ends tokens, pending requests, approvals and sessions at once',
    access: write,
    params: one,
    body: UserPatch,
    ok: { 200: User },
  }),
  listGroups: operation({
    id: 'listGroups',
    method: 'GET',
    path: `${TEAM}/groups`,
    tag,
    summary: 'Groups with their roles and owners',
    access: read,
    query: Strict({ ...PageQuery, name: Type.Optional(Text(200)) }),
    ok: { 200: Page(Group) },
  }),
  listGroupMembers: operation({
    id: 'listGroupMembers',
    method: 'GET',
    path: `${TEAM}/groups/{id}/users`,
    tag,
    summary: 'Live memberships of a group, with source and end',
    access: read,
    params: one,
    query: Strict({ ...PageQuery }),
    ok: { 200: Page(Membership) },
  }),
  addGroupMember: operation({
    id: 'addGroupMember',
    method: 'PUT',
    path: `${TEAM}/groups/{id}/users/{user_id}`,
    tag,
    summary: 'Add a standing membership',
    access: write,
    params: member,
    ok: { 204: Type.Null() },
  }),
  removeGroupMember: operation({
    id: 'removeGroupMember',
    method: 'DELETE',
    path: `${TEAM}/groups/{id}/users/{user_id}`,
    tag,
    summary: 'End every membership of this user in this group',
    access: write,
    params: member,
    ok: { 204: Type.Null() },
  }),
  setGroupRoles: operation({
    id: 'setGroupRoles',
    method: 'PUT',
    path: `${TEAM}/groups/{id}/roles`,
    tag,
    summary: 'The roles a group holds',
    access: write,
    params: one,
    body: Strict({ roles: Type.Array(RoleName, { uniqueItems: true }) }),
    ok: { 200: Group },
  }),
  createToken: operation({
    id: 'createToken',
    method: 'POST',
    path: `${TEAM}/tokens`,
    tag: 'tokens',
    summary: 'A token for yourself, or (pam_admin) for somebody else; at most 24 h; shown once',
    access: [
      ['end_user', 'self'],
      ['pam_admin', 'any'],
    ],
    secret: true,
    body: Strict({
      login: Type.Optional(Text(200)),
      name: Text(100),
      expires_in_seconds: Type.Integer({ minimum: 60, maximum: 86_400 }),
    }),
    ok: { 201: Strict({ token: Type.String(), id: Uuid, expires_at: Type.String() }) },
  }),
  listTokens: operation({
    id: 'listTokens',
    method: 'GET',
    path: `${TEAM}/tokens`,
    tag: 'tokens',
    summary: 'Live tokens: your own, or (pam_admin, auditor) all',
    access: [
      ['end_user', 'self'],
      ['pam_admin', 'any'],
      ['auditor', 'any'],
    ],
    query: Strict({ ...PageQuery }),
    ok: { 200: Page(Token) },
  }),
  revokeToken: operation({
    id: 'revokeToken',
    method: 'DELETE',
    path: `${TEAM}/tokens/{id}`,
    tag: 'tokens',
    summary: 'End a token',
    access: [
      ['end_user', 'self'],
      ['pam_admin', 'any'],
    ],
    params: one,
    ok: { 204: Type.Null() },
  }),
} as const;
