import { Type } from 'typebox';
import { Strict, Uuid } from '../schemas/common.ts';
import {
  MfaApproval,
  MfaApprovalState,
  NewMfaApproval,
  OneTimeCode,
  OneTimeCodeAnswer,
} from '../schemas/mfa.ts';
import { operation, TEAM } from './operation.ts';

const tag = 'mfa';
const one = Strict({ team: Type.String(), id: Uuid });
const PATH = `${TEAM}/mfa_approvals` as const;

export const mfaOperations = {
  createMfaApproval: operation({
    id: 'createMfaApproval',
    method: 'POST',
    path: PATH,
    tag,
    summary: 'Ask for your MFA, for one connection or one decision; single use, 5 minutes',
    access: [['end_user', 'self']],
    secret: true,
    body: NewMfaApproval,
    ok: { 201: MfaApproval },
  }),
  getMfaApprovalState: operation({
    id: 'getMfaApprovalState',
    method: 'GET',
    path: `${PATH}/{id}/state`,
    tag,
    summary: 'Whether it was given; for the login that asked for it',
    access: [['end_user', 'self']],
    params: one,
    ok: { 200: MfaApprovalState },
  }),
  answerMfaApproval: operation({
    id: 'answerMfaApproval',
    method: 'POST',
    path: `${PATH}/{id}/totp`,
    tag,
    summary: 'Answer with a one-time code; at most 5 wrong ones',
    access: [['end_user', 'self']],
    secret: true,
    params: one,
    body: OneTimeCode,
    ok: { 200: OneTimeCodeAnswer },
  }),
} as const;
