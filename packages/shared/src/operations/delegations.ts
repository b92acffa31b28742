import { Type } from 'typebox';
import { Page, PageQuery, Strict, Uuid } from '../schemas/common.ts';
import { Delegation, NewDelegation } from '../schemas/delegation.ts';
import { operation, TEAM } from './operation.ts';

const tag = 'delegations';
const PATH = `${TEAM}/delegations` as const;

export const delegationOperations = {
  listDelegations: operation({
    id: 'listDelegations',
    method: 'GET',
    path: PATH,
    tag,
    summary: 'Stand-ins in force or to come: yours at either end, or all (security_admin, auditor)',
    access: [
      ['end_user', 'self'],
      ['security_admin', 'any'],
      ['auditor', 'any'],
    ],
    query: Strict({ ...PageQuery }),
    ok: { 200: Page(Delegation) },
  }),
  createDelegation: operation({
    id: 'createDelegation',
    method: 'POST',
    path: PATH,
    tag,
    summary: 'Let somebody decide in your place for a while; for others: security_admin',
    access: [
      ['end_user', 'self'],
      ['security_admin', 'any'],
    ],
    body: NewDelegation,
    ok: { 201: Delegation },
  }),
  endDelegation: operation({
    id: 'endDelegation',
    method: 'DELETE',
    path: `${PATH}/{id}`,
    tag,
    summary: 'End a stand-in at once; either of the two, or security_admin',
    access: [
      ['end_user', 'self'],
      ['security_admin', 'any'],
    ],
    params: Strict({ team: Type.String(), id: Uuid }),
    ok: { 204: Type.Null() },
  }),
} as const;
