import { Type } from 'typebox';
import { AccessRequest, NewAccessRequest } from '../schemas/access-request.ts';
import { AccessRequestDetail } from '../schemas/access-request-detail.ts';
import { ApprovalCard } from '../schemas/card.ts';
import { Nullable, Page, PageQuery, Strict, Text, Uuid } from '../schemas/common.ts';
import { type Grant, operation, TEAM } from './operation.ts';

const tag = 'access requests';
const one = Strict({ team: Type.String(), id: Uuid });
const PATH = `${TEAM}/access_requests` as const;

const whoSees: readonly Grant[] = [
  ['end_user', 'self'],
  ['end_user', 'approver_of'],
  ['security_admin', 'any'],
  ['auditor', 'any'],
];

export const accessRequestOperations = {
  createAccessRequest: operation({
    id: 'createAccessRequest',
    method: 'POST',
    path: PATH,
    tag,
    summary: 'Raise an access request; the pending one for the same target is answered with 200',
    access: [['end_user', 'self']],
    body: NewAccessRequest,
    ok: { 200: AccessRequest, 201: AccessRequest },
  }),
  listAccessRequests: operation({
    id: 'listAccessRequests',
    method: 'GET',
    path: PATH,
    tag,
    summary: 'Access requests: your own, those you can decide, or all (auditor, security_admin)',
    access: whoSees,
    query: Strict({
      ...PageQuery,
      view: Type.Optional(
        Type.Union([Type.Literal('mine'), Type.Literal('to_decide'), Type.Literal('all')]),
      ),
      state: Type.Optional(Text(20)),
    }),
    ok: { 200: Page(AccessRequest) },
  }),
  getAccessRequest: operation({
    id: 'getAccessRequest',
    method: 'GET',
    path: `${PATH}/{id}`,
    tag,
    summary: 'One access request with its history and its sessions',
    access: whoSees,
    params: one,
    ok: { 200: AccessRequestDetail },
  }),
  getAccessRequestCard: operation({
    id: 'getAccessRequestCard',
    method: 'GET',
    path: `${PATH}/{id}/card`,
    tag,
    summary: 'What an approver reads before deciding, in words; its ETag is for the decision',
    access: whoSees,
    params: one,
    ok: { 200: ApprovalCard },
  }),
  decideAccessRequest: operation({
    id: 'decideAccessRequest',
    method: 'POST',
    path: `${PATH}/{id}/decisions`,
    tag,
    summary: 'Approve or deny the current step',
    access: [['end_user', 'approver_of']],
    params: one,
    if_match: 'required',
    body: Strict({
      decision: Type.Union([Type.Literal('approve'), Type.Literal('deny')]),
      step: Type.Integer({ minimum: 0, maximum: 20 }),
      comment: Type.Optional(Nullable(Text(2000))),
      for_user_id: Type.Optional(Nullable(Uuid)),
    }),
    ok: { 200: AccessRequest },
  }),
  cancelAccessRequest: operation({
    id: 'cancelAccessRequest',
    method: 'POST',
    path: `${PATH}/{id}/cancel`,
    tag,
    summary: 'Withdraw your own pending request',
    access: [['end_user', 'self']],
    changes_caller: true,
    params: one,
    ok: { 200: AccessRequest },
  }),
  revokeAccessRequest: operation({
    id: 'revokeAccessRequest',
    method: 'POST',
    path: `${PATH}/{id}/revoke`,
    tag,
    summary: 'Take an approval back; its sessions are cut',
    access: [
      ['end_user', 'approver_of'],
      ['security_admin', 'any'],
    ],
    params: one,
    body: Strict({ reason: Type.Optional(Text(2000)) }),
    ok: { 200: AccessRequest },
  }),
  dropAccessRequest: operation({
    id: 'dropAccessRequest',
    method: 'POST',
    path: `${PATH}/{id}/drop`,
    tag,
    summary: 'Give up your own approved access; its sessions are cut',
    access: [['end_user', 'self']],
    changes_caller: true,
    params: one,
    ok: { 200: AccessRequest },
  }),
  escalateAccessRequest: operation({
    id: 'escalateAccessRequest',
    method: 'POST',
    path: `${PATH}/{id}/escalate`,
    tag,
    summary: 'Ask more people, as the step names them, after its escalate_after',
    access: [['end_user', 'self']],
    params: one,
    body: Strict({ reason: Text(2000) }),
    ok: { 200: AccessRequest },
  }),
  commentAccessRequest: operation({
    id: 'commentAccessRequest',
    method: 'POST',
    path: `${PATH}/{id}/comments`,
    tag,
    summary: 'Add a comment',
    access: [
      ['end_user', 'self'],
      ['end_user', 'approver_of'],
    ],
    params: one,
    body: Strict({ text: Text(2000) }),
    ok: { 201: AccessRequest },
  }),
  accessRequestEvents: operation({
    id: 'accessRequestEvents',
    method: 'GET',
    path: `${PATH}/{id}/events`,
    tag,
    summary: 'The request each time it changes, as server-sent events `request`',
    access: whoSees,
    params: one,
    sse: true,
    ok: { 200: Type.String() },
  }),
} as const;
