import { instant, seconds } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { findApproval, type Wish } from '../../src/policy/approvals.ts';
import {
  APPROVAL_CHECKS,
  type Approval,
  type ApprovalCheck,
  approvalEnd,
  whyNot,
} from '../../src/policy/index.ts';
import { APPROVAL, MANAGER, MINUTE, minutes, NOW } from './kit.ts';

const WISH: Wish = {
  user_id: 'ana',
  server_id: 'opa-demo-linux',
  server_identity_revision: 1,
  identity: 'pamadmin1',
  credential_type: 'vaulted_account',
  account_id: 'account-1',
  admin_level: false,
  privilege: 'vaulted_account_ssh',
  channels: ['shell', 'exec', 'sftp'],
  binding: null,
};
const DEMAND = {
  rule_id: 'R1',
  request_type_id: 'manager',
  request_type: MANAGER,
  expires_after_seconds: minutes(30),
};

test('the approval these tests start from counts', () => {
  expect(whyNot(APPROVAL, WISH, DEMAND, NOW)).toBeNull();
});

describe('deny: the approval was given for something else, or no longer holds', () => {
  const cases: [ApprovalCheck, Partial<Approval>][] = [
    ['user', { user_id: 'ben' }],
    ['binding', { binding: 'a job' }],
    ['server', { server_id: 'other' }],
    ['server_identity', { server_identity_revision: 2 }],
    ['identity', { identity: 'pamadmin2' }],
    ['credential', { credential_type: 'principal_account' }],
    ['account', { account_id: 'account-2' }],
    ['account', { account_id: null }],
    ['admin_level', { admin_level: true }],
    ['privilege', { privilege: 'principal_account_ssh' }],
    ['channels', { channels: ['shell', 'exec'] }],
    ['channels', { channels: [] }],
    ['request_type', { request_type_id: 'director' }],
    ['version', { request_type_version: 1 }],
    ['version', { request_type_version: 4 }],
    ['revoked', { revoked_at: instant(NOW - 1) }],
    ['revoked', { revoked_at: instant(NOW + MINUTE) }],
    ['ended', { ended_at: instant(NOW - 1) }],
    ['future', { approved_at: instant(NOW + 1) }],
    ['expired', { approved_at: instant(NOW - 30 * MINUTE) }],
    ['expired', { periods: {} }],
    ['expired', { periods: { R1: seconds(0) } }],
    ['expired', { periods: { R1: seconds(600) } }],
  ];
  test.each(cases)('%s %j', (reason, some) => {
    expect(whyNot({ ...APPROVAL, ...some }, WISH, DEMAND, NOW)).toBe(reason);
    expect(findApproval([{ ...APPROVAL, ...some }], WISH, DEMAND, NOW)).toBeUndefined();
  });

  test('every check is in the table above', () => {
    expect(new Set(cases.map(([reason]) => reason))).toEqual(new Set(Object.keys(APPROVAL_CHECKS)));
  });
});

test('an approval that no job asked for is no job’s, and one job’s is not another’s', () => {
  const job = { ...WISH, binding: 'a job' };
  expect(whyNot(APPROVAL, job, DEMAND, NOW)).toBe('binding');
  expect(whyNot({ ...APPROVAL, binding: 'another job' }, job, DEMAND, NOW)).toBe('binding');
  expect(whyNot({ ...APPROVAL, binding: 'a job' }, job, DEMAND, NOW)).toBeNull();
});

describe('allow: what may differ', () => {
  test.each<[string, Partial<Approval>]>([
    ['more channels than the rule opens', { channels: ['shell', 'exec', 'sftp', 'local_forward'] }],
    ['a version the published one accepts', { request_type_version: 2 }],
    ['approved at this instant', { approved_at: NOW }],
    ['one millisecond before it ends', { approved_at: instant(NOW - 30 * MINUTE + 1) }],
  ])('%s', (_, some) => {
    expect(whyNot({ ...APPROVAL, ...some }, WISH, DEMAND, NOW)).toBeNull();
  });
});

describe('how long it holds: the shorter of the rule now and the card then', () => {
  const after = (periods: Record<string, number>, ruleMinutes: number) => {
    const card = Object.fromEntries(Object.entries(periods).map(([id, m]) => [id, minutes(m)]));
    const demand = { ...DEMAND, expires_after_seconds: minutes(ruleMinutes) };
    const end = approvalEnd({ ...APPROVAL, approved_at: NOW, periods: card }, demand);
    return (end - NOW) / MINUTE;
  };
  test.each([
    ['as on the card', { R1: 30 }, 30, 30],
    ['the rule was shortened since', { R1: 30 }, 10, 10],
    ['the rule was lengthened since', { R1: 30 }, 480, 30],
    ['the rule is new: the longest on the card', { R2: 20, R3: 45 }, 480, 45],
    ['the rule is new and shorter', { R2: 20, R3: 45 }, 5, 5],
    [
      'another rule’s longer period does not help one that was on the card',
      { R1: 30, R3: 60 },
      480,
      30,
    ],
    ['nothing on the card', {}, 480, 0],
  ])('%s', (_, periods, rule, expected) => {
    expect(after(periods as Record<string, number>, rule)).toBe(expected);
  });

  test('a rule called like something every object has is not on the card', () => {
    expect(approvalEnd(APPROVAL, { ...DEMAND, rule_id: 'constructor' })).toBe(
      APPROVAL.approved_at + 1_800_000,
    );
  });
});

test('of several, the one that lasts longest; of equals, the smallest id', () => {
  const make = (id: string, ago: number) => ({
    ...APPROVAL,
    id,
    approved_at: instant(NOW - ago * MINUTE),
  });
  const all = [make('d', 10), make('c', 2), make('b', 2), make('a', 25), make('e', 40)];
  for (const approvals of [all, all.toReversed()])
    expect(findApproval(approvals, WISH, DEMAND, NOW)).toMatchObject({
      approval: { id: 'b' },
      until: NOW + 28 * MINUTE,
    });
});
