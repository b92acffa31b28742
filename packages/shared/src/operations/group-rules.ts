import { Type } from 'typebox';
import { Page, PageQuery, Strict, Text, Uuid } from '../schemas/common.ts';
import { GroupRule } from '../schemas/directory.ts';
import { type Grant, operation, TEAM } from './operation.ts';

const tag = 'directory';
const PATH = `${TEAM}/group_rules` as const;
const one = Strict({ team: Type.String(), id: Uuid });
const read: readonly Grant[] = [
  ['pam_admin', 'any'],
  ['security_admin', 'any'],
  ['auditor', 'any'],
];
const write: readonly Grant[] = [['pam_admin', 'any']];

export const groupRuleOperations = {
  listGroupRules: operation({
    id: 'listGroupRules',
    method: 'GET',
    path: PATH,
    tag,
    summary: 'Rules that put people into groups by their profile',
    access: read,
    query: Strict({ ...PageQuery, name: Type.Optional(Text(100)) }),
    ok: { 200: Page(GroupRule) },
  }),
  createGroupRule: operation({
    id: 'createGroupRule',
    method: 'POST',
    path: PATH,
    tag,
    summary: 'Put everybody into a group, now and later, whose profile meets a filter',
    access: write,
    body: Strict({ name: Text(100), group_id: Uuid, when: Text(2000) }),
    ok: { 201: GroupRule },
  }),
  getGroupRule: operation({
    id: 'getGroupRule',
    method: 'GET',
    path: `${PATH}/{id}`,
    tag,
    summary: 'A group rule',
    access: read,
    params: one,
    ok: { 200: GroupRule },
  }),
  updateGroupRule: operation({
    id: 'updateGroupRule',
    method: 'PATCH',
    path: `${PATH}/{id}`,
    tag,
    summary: 'Change the filter of a rule; who is in the group by it changes with it',
    access: write,
    params: one,
    body: Strict({ when: Text(2000) }),
    ok: { 200: GroupRule },
  }),
  deleteGroupRule: operation({
    id: 'deleteGroupRule',
    method: 'DELETE',
    path: `${PATH}/{id}`,
    tag,
    summary: 'Remove a rule; whoever was in the group by it alone leaves it',
    access: write,
    params: one,
    ok: { 204: Type.Null() },
  }),
} as const;
