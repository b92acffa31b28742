import { Type } from 'typebox';
import { Page, PageQuery, Strict, Uuid } from '../schemas/common.ts';
import { NewPushTarget, Push, PushState, PushTarget, PushTargetGroups } from '../schemas/push.ts';
import { type Grant, operation, TEAM } from './operation.ts';

const tag = 'scim';
const one = Strict({ team: Type.String(), id: Uuid });
const read: readonly Grant[] = [
  ['pam_admin', 'any'],
  ['auditor', 'any'],
];
const write: readonly Grant[] = [['pam_admin', 'any']];

export const pushOperations = {
  createPushTarget: operation({
    id: 'createPushTarget',
    method: 'POST',
    path: `${TEAM}/push_targets`,
    tag,
    summary: 'Tell a system, by SCIM, when a membership of these groups changes by request',
    access: write,
    body: NewPushTarget,
    ok: { 201: PushTarget },
    secret: true,
  }),
  listPushTargets: operation({
    id: 'listPushTargets',
    method: 'GET',
    path: `${TEAM}/push_targets`,
    tag,
    summary: 'Systems that are told of memberships by request',
    access: read,
    query: Strict({ ...PageQuery }),
    ok: { 200: Page(PushTarget) },
  }),
  setPushGroups: operation({
    id: 'setPushGroups',
    method: 'PUT',
    path: `${TEAM}/push_targets/{id}/groups`,
    tag,
    summary: 'The groups a system is told of; of new ones, who is in them by request now',
    access: write,
    params: one,
    body: PushTargetGroups,
    ok: { 200: PushTarget },
  }),
  removePushTarget: operation({
    id: 'removePushTarget',
    method: 'DELETE',
    path: `${TEAM}/push_targets/{id}`,
    tag,
    summary: 'Tell a system nothing any more; what it was told stays there',
    access: write,
    params: one,
    ok: { 204: Type.Null() },
  }),
  listPushes: operation({
    id: 'listPushes',
    method: 'GET',
    path: `${TEAM}/pushes`,
    tag,
    summary: 'What was told, and what could not be, newest first',
    access: read,
    query: Strict({ ...PageQuery, state: Type.Optional(PushState) }),
    ok: { 200: Page(Push) },
  }),
  retryPush: operation({
    id: 'retryPush',
    method: 'POST',
    path: `${TEAM}/pushes/{id}/retry`,
    tag,
    summary: 'Tell it again: what is true then',
    access: write,
    params: one,
    ok: { 200: Push },
  }),
} as const;
