import { describe, expect, test } from 'vitest';
import type { RequestFacts, Roster } from '../../src/requests/model.ts';
import { stillNeeded } from '../../src/requests/still-needed.ts';
import {
  all,
  any,
  approvedBy,
  delegation,
  either,
  group,
  human,
  manager,
  NOW,
  request,
  roster,
  step,
  user,
  vote,
} from './world.ts';

const people = roster(
  [
    'rita',
    human('dana', { name: 'Dana Reyes' }),
    human('ana', { name: 'Ana' }),
    'bob',
    'eve',
    'kim',
  ],
  { manager: ['dana'], 'linux-approvers': ['bob', 'eve', 'kim'], resource_owner: ['dana', 'ana'] },
);
const approvers = group('linux-approvers');
const left = (
  facts: RequestFacts,
  now: Roster = people,
  delegations = [delegation('dana', 'kim')],
) => stillNeeded({ request: facts, roster: now, delegations, now: NOW });

describe('still needed', () => {
  const managerOrTwo = request([step(either(any(1, manager), any(2, approvers)))]);

  test('as the wire shows it', () => {
    expect(left(managerOrTwo)).toEqual([
      {
        either: [
          { any: 1, of: ['Dana Reyes'] },
          { any: 2, of: ['group:linux-approvers'] },
        ],
      },
    ]);
  });

  test('what is given is taken off', () => {
    expect(left(approvedBy(managerOrTwo, people, 'bob'))).toEqual([
      {
        either: [
          { any: 1, of: ['Dana Reyes'] },
          { any: 1, of: ['group:linux-approvers'] },
        ],
      },
    ]);
  });

  test('a branch whose set is empty is not offered', () => {
    const noManager = roster(['rita', 'bob', 'eve'], { 'linux-approvers': ['bob', 'eve'] });
    expect(left(managerOrTwo, noManager)).toEqual([{ any: 2, of: ['group:linux-approvers'] }]);
  });

  test('where nobody is left to ask, it says so', () => {
    const gone = roster(['rita'], {});
    expect(left(request([step(any(1, manager, user('dana')))]), gone)).toEqual([
      { any: 1, of: [] },
    ]);
    expect(left(request([step(either(any(1, manager), any(1, user('x'))))]), gone)).toEqual([
      {
        either: [
          { any: 1, of: [] },
          { any: 1, of: [] },
        ],
      },
    ]);
  });

  test('the requester is never named', () => {
    const own = roster(['rita', 'ana'], { manager: ['rita'], resource_owner: ['ana', 'rita'] });
    expect(left(request([step(any(1, manager, { kind: 'resource_owner' }))]), own)).toEqual([
      { any: 1, of: ['ana'] },
    ]);
  });

  test('all parts of an all, each with what it lacks', () => {
    const facts = request([step(all(any(1, manager), any(2, approvers)))]);
    expect(left(facts)).toEqual([
      { any: 1, of: ['Dana Reyes'] },
      { any: 2, of: ['group:linux-approvers'] },
    ]);
    expect(left(approvedBy(facts, people, 'bob'))).toEqual([
      { any: 1, of: ['Dana Reyes'] },
      { any: 1, of: ['group:linux-approvers'] },
    ]);
    expect(left(approvedBy(facts, people, 'bob', 'dana'))).toEqual([
      { any: 1, of: ['group:linux-approvers'] },
    ]);
  });

  test('a vote that fits two places is taken off one', () => {
    const facts = request([step(all(any(1, user('bob'), user('eve')), any(1, user('bob'))))]);
    expect(left(approvedBy(facts, people, 'bob'))).toEqual([{ any: 1, of: ['eve'] }]);
  });

  test('the manager alone is enough where a vote can serve another part', () => {
    const facts = request([
      step(all(either(any(2, approvers), any(1, manager)), any(1, approvers))),
    ]);
    expect(left(approvedBy(facts, people, 'bob'))).toEqual([
      {
        either: [
          { any: 2, of: ['group:linux-approvers'] },
          { any: 1, of: ['Dana Reyes'] },
        ],
      },
    ]);
  });

  test('a vote that the best way leaves over shows in the other way', () => {
    const facts = request([
      step(all(any(1, manager), either(any(1, user('ana')), any(2, approvers)))),
    ]);
    expect(left(approvedBy(facts, people, 'bob'))).toEqual([
      { any: 1, of: ['Dana Reyes'] },
      {
        either: [
          { any: 1, of: ['Ana'] },
          { any: 1, of: ['group:linux-approvers'] },
        ],
      },
    ]);
  });

  test('who has voted is not named again, nor who was stood in for', () => {
    const facts = request([step(any(2, { kind: 'resource_owner' }))]);
    expect(left(facts)).toEqual([{ any: 2, of: ['Ana', 'Dana Reyes'] }]);
    expect(left(approvedBy(facts, people, 'ana'))).toEqual([{ any: 1, of: ['Dana Reyes'] }]);
    const stoodIn = { ...facts, votes: [vote('kim', { for: 'dana', persons: ['dana', 'kim'] })] };
    expect(left(stoodIn)).toEqual([{ any: 1, of: ['Ana'] }]);
  });

  test('who counted in an earlier step is not named', () => {
    const facts = request([step(any(1, user('ana'))), step(any(1, { kind: 'resource_owner' }))]);
    expect(left(approvedBy(facts, people, 'ana'))).toEqual([{ any: 1, of: ['Dana Reyes'] }]);
  });

  test('a vote that does not stand any more is not taken off', () => {
    const voted = approvedBy(request([step(any(2, approvers))]), people, 'bob');
    const gone = roster(['rita', human('bob', { active: false }), 'eve'], {
      'linux-approvers': ['bob', 'eve'],
    });
    expect(left(voted, gone)).toEqual([{ any: 2, of: ['group:linux-approvers'] }]);
  });

  test('an escalation shows whom it added', () => {
    const facts = request(
      [step(any(1, manager), { on_timeout: { escalate_to: [group('security')] } })],
      {
        escalated: [0],
      },
    );
    expect(left(facts)).toEqual([{ any: 1, of: ['Dana Reyes', 'group:security'] }]);
  });

  test('nothing once the request is resolved', () => {
    expect(left(approvedBy(managerOrTwo, people, 'dana'))).toEqual([]);
    expect(left({ ...managerOrTwo, state: 'denied' })).toEqual([]);
  });
});
