import { describe, expect, test } from 'vitest';
import { decide, settle } from '../../src/requests/decide.ts';
import { canBeMet, canEverBeMet } from '../../src/requests/liveness.ts';
import { mayDecide } from '../../src/requests/may-decide.ts';
import type { RequestFacts, Roster } from '../../src/requests/model.ts';
import {
  AFTER,
  after,
  any,
  approvedBy,
  attempt,
  BEFORE,
  delegation,
  group,
  human,
  manager,
  member,
  NOW,
  request,
  roster,
  service,
  step,
  user,
} from './world.ts';

const refusal = (...args: Parameters<typeof attempt>) => {
  const may = mayDecide(attempt(...args));
  return may.ok ? 'allowed' : `${may.code}: ${may.reason}`;
};

describe('attack 1: the approver is the requester', () => {
  const ops = request([step(any(1, group('ops')))]);
  const self = 'requester_cannot_decide: is_requester';

  test('deny: approver is the requester', () => {
    const people = roster(['rita', 'dana'], { manager: ['rita'] });
    expect(refusal(request([step(any(1, manager))]), people, 'rita')).toBe(self);
  });

  test('deny: the requester is named by the step', () => {
    const people = roster(['rita', 'dana'], {});
    expect(refusal(request([step(any(1, user('rita'), user('dana')))]), people, 'rita')).toBe(self);
  });

  test('deny: the requester is in the approving group', () => {
    const people = roster(['rita', 'dana'], { ops: ['rita', 'dana'] });
    expect(refusal(ops, people, 'rita')).toBe(self);
  });

  test('deny: the requester is the only member of the approving group', () => {
    expect(refusal(ops, roster(['rita'], { ops: ['rita'] }), 'rita')).toBe(self);
  });

  test('deny: the requester may not even deny his own request', () => {
    const people = roster(['rita', 'dana'], { ops: ['rita'] });
    expect(refusal(ops, people, 'rita', { decision: 'deny' })).toBe(self);
  });

  test('deny: the requester owns the resource or the group', () => {
    const people = roster(['rita', 'dana'], { resource_owner: ['rita'], group_owner: ['rita'] });
    const steps = [step(any(1, { kind: 'resource_owner' }, { kind: 'group_owner' }))];
    expect(refusal(request(steps), people, 'rita')).toBe(self);
  });

  test('deny: the requester stands in for an approver', () => {
    const people = roster(['rita', 'dana'], { ops: ['dana'] });
    const delegations = [delegation('dana', 'rita')];
    expect(refusal(ops, people, 'rita', { for_user: 'dana', delegations })).toBe(self);
  });

  test('deny: somebody stands in for the requester', () => {
    const people = roster(['rita', 'dana'], { ops: ['rita', 'dana'] });
    const delegations = [delegation('rita', 'dana')];
    expect(refusal(ops, people, 'dana', { for_user: 'rita', delegations })).toBe(
      'requester_cannot_decide: stands_in_for_requester',
    );
  });

  test('allow: a stand-in of the requester decides for himself', () => {
    const people = roster(['rita', 'dana'], { ops: ['rita', 'dana'] });
    const delegations = [delegation('rita', 'dana')];
    expect(refusal(ops, people, 'dana', { delegations })).toBe('allowed');
  });

  test('deny: a service user that the requester owns, alone or with others', () => {
    const steps = request([step(any(1, user('bot')))]);
    for (const owners of [['rita'], ['dana', 'rita']])
      expect(refusal(steps, roster(['rita', 'dana', service('bot', owners)], {}), 'bot')).toBe(
        'requester_cannot_decide: owned_by_requester',
      );
  });

  test('deny: a service user that the requester owns through another service user', () => {
    const people = roster(['rita', service('outer', ['rita']), service('bot', ['outer'])], {});
    expect(refusal(request([step(any(1, user('bot')))]), people, 'bot')).toBe(
      'requester_cannot_decide: owned_by_requester',
    );
  });

  test('deny: a token that the requester issued for somebody else', () => {
    const people = roster(['rita', 'dana'], { ops: ['dana'] });
    expect(refusal(ops, people, 'dana', { token_issued_by: 'rita' })).toBe(
      'requester_cannot_decide: token_from_requester',
    );
  });

  test('deny: a token issued by a service user that the requester owns', () => {
    const people = roster(['rita', 'dana', service('ci', ['rita'])], { ops: ['dana'] });
    expect(refusal(ops, people, 'dana', { token_issued_by: 'ci' })).toBe(
      'requester_cannot_decide: token_from_requester',
    );
  });

  test('deny: a group the requester put the approver into after raising', () => {
    const people = roster(['rita', 'dana'], {
      ops: [member('dana', { made_by: ['rita'], made_at: AFTER })],
    });
    expect(refusal(ops, people, 'dana')).toBe('not_an_approver: eligibility_by_requester');
  });

  test('deny: a group the requester put himself into after raising', () => {
    const people = roster(['rita'], {
      ops: [member('rita', { made_by: ['rita'], made_at: AFTER })],
    });
    expect(refusal(ops, people, 'rita')).toBe(self);
  });

  test('deny: an eligibility the requester made through his service user or his token', () => {
    const people = (made_by: string[]) =>
      roster(['rita', 'dana', 'pat', service('ci', ['rita'])], {
        ops: [member('dana', { made_by, made_at: AFTER })],
      });
    for (const made_by of [['ci'], ['pat', 'rita']])
      expect(refusal(ops, people(made_by), 'dana')).toBe(
        'not_an_approver: eligibility_by_requester',
      );
  });

  test('deny: an eligibility the requester made in the very instant of raising, or nobody knows when', () => {
    for (const made_at of [ops.requester.raised_at, null]) {
      const people = roster(['rita', 'dana'], {
        ops: [member('dana', { made_by: ['rita'], made_at })],
      });
      expect(refusal(ops, people, 'dana')).toBe('not_an_approver: eligibility_by_requester');
    }
  });

  test('deny: an eligibility made after raising by an account nobody knows', () => {
    const people = roster(['rita', 'dana'], {
      ops: [member('dana', { made_by: ['ghost'], made_at: AFTER })],
    });
    expect(refusal(ops, people, 'dana')).toBe('not_an_approver: eligibility_by_requester');
  });

  test('allow: an eligibility the requester made before raising, or somebody else after', () => {
    const entries = [
      member('dana', { made_by: ['rita'], made_at: BEFORE }),
      member('dana', { made_by: ['pat'], made_at: AFTER }),
      member('dana', { made_by: [], made_at: null }),
    ];
    for (const entry of entries)
      expect(refusal(ops, roster(['rita', 'dana', 'pat'], { ops: [entry] }), 'dana')).toBe(
        'allowed',
      );
  });

  test('allow: one untainted way into the group is enough', () => {
    const people = roster(['rita', 'dana'], {
      ops: [member('dana', { made_by: ['rita'], made_at: AFTER }), member('dana')],
    });
    expect(refusal(ops, people, 'dana')).toBe('allowed');
  });

  test('deny: a stand-in the requester arranged after raising', () => {
    const people = roster(['rita', 'dana', 'bob'], { ops: ['dana'] });
    const made = { made_by: ['rita'], made_at: AFTER };
    const delegations = [delegation('dana', 'bob', made)];
    expect(refusal(ops, people, 'bob', { for_user: 'dana', delegations })).toBe(
      'not_an_approver: delegation_by_requester',
    );
  });

  test('deny: an owner of the service user that raised', () => {
    const people = roster(['rita', 'dana', service('ci', ['dana'])], { ops: ['dana'] });
    const raised = { ...ops, requester: { ...ops.requester, id: 'ci' } };
    expect(refusal(raised, people, 'dana')).toBe(
      'requester_cannot_decide: same_person_as_requester',
    );
  });

  test('deny: whoever issued the token the request was raised with', () => {
    const people = roster(['rita', 'pat'], { ops: ['pat'] });
    const raised = { ...ops, requester: { ...ops.requester, token_issued_by: 'pat' } };
    expect(refusal(raised, people, 'pat')).toBe(
      'requester_cannot_decide: same_person_as_requester',
    );
  });

  test('deny: whoever else is behind it, and a service user of his', () => {
    const people = roster(['rita', 'ann', service('ci', ['ann'])], { ops: ['ann', 'ci'] });
    const raised = { ...ops, requester: { ...ops.requester, made_by: ['ann'] } };
    expect(refusal(raised, people, 'ann')).toBe(
      'requester_cannot_decide: same_person_as_requester',
    );
    expect(refusal(raised, people, 'ci')).toMatch(/^requester_cannot_decide/);
    const byService = { ...ops, requester: { ...ops.requester, made_by: ['ci'] } };
    expect(refusal(byService, people, 'ann')).toBe(
      'requester_cannot_decide: same_person_as_requester',
    );
  });

  test('deny: the requester does not count when a stored vote names him', () => {
    const people = roster(['rita', 'dana', 'eve'], { ops: ['rita', 'dana', 'eve'] });
    const forged: RequestFacts = {
      ...request([step(any(2, group('ops')))]),
      votes: [
        {
          id: '1',
          step: 0,
          decision: 'approve',
          by: 'rita',
          for: null,
          token_issued_by: null,
          persons: ['rita'],
          void: false,
        },
      ],
    };
    const settled = decide(attempt(forged, people, 'dana'));
    expect(settled).toMatchObject({ ok: true, result: 'pending', void: [{ vote_id: '1' }] });
  });
});

describe('attack 2: the approver set is or becomes empty', () => {
  const people = roster(['rita', 'dana'], { ops: ['dana'], nobody: [] });

  test('publish refused: a group nobody is in, or that does not exist any more', () => {
    for (const name of ['nobody', 'gone'])
      expect(canEverBeMet([step(any(1, group(name)))], people)).toMatchObject({
        ok: false,
        step: 0,
      });
  });

  test('publish refused: all members of the group are disabled', () => {
    const off = roster([human('dana', { active: false })], { ops: ['dana'] });
    expect(canEverBeMet([step(any(1, group('ops')))], off).ok).toBe(false);
  });

  test('raise refused: nobody but the requester is in the set', () => {
    const rita = request([]).requester;
    expect(canBeMet([step(any(1, group('ops')))], people, { ...rita, id: 'dana' }).ok).toBe(false);
    expect(canBeMet([step(any(1, group('ops')))], people, rita).ok).toBe(true);
  });

  test('raise refused: the requester has no manager, or is his own', () => {
    const steps = [step(any(1, manager))];
    const rita = request([]).requester;
    expect(canBeMet(steps, roster(['rita'], {}), rita).ok).toBe(false);
    expect(canBeMet(steps, roster(['rita'], { manager: ['rita'] }), rita).ok).toBe(false);
  });

  test('pending stays pending: the set becomes empty after the vote', () => {
    const facts = request([step(any(2, group('ops')))]);
    const before = roster(['rita', 'dana', 'bob'], { ops: ['dana', 'bob'] });
    const voted = approvedBy(facts, before, 'dana');
    const empty: Roster = { ...before, members: new Map() };
    const settled = settle({ request: voted, roster: empty, delegations: [], now: NOW });
    expect(settled).toMatchObject({ result: 'pending', state: 'pending' });
    expect(decide(attempt(voted, empty, 'bob'))).toMatchObject({
      ok: false,
      code: 'not_an_approver',
    });
  });

  test('never met: a tree that asks for nothing', () => {
    const trees = [
      any(0, group('ops')),
      any(-1, group('ops')),
      any(Number.NaN, group('ops')),
      any(0.5, group('ops')),
      any(1),
      { all: [] },
      { either: [] },
      { all: [any(1, group('ops')), { either: [] }] },
      { either: [any(0, group('ops'))] },
    ];
    for (const needs of trees) {
      const facts = request([step(needs)], { votes: [] });
      const settled = settle({ request: facts, roster: people, delegations: [], now: NOW });
      expect(settled, JSON.stringify(needs)).toMatchObject({ result: 'pending', state: 'pending' });
      expect(canBeMet(facts.steps, people, facts.requester).ok, JSON.stringify(needs)).toBe(false);
      expect(canEverBeMet(facts.steps, people).ok, JSON.stringify(needs)).toBe(false);
    }
  });

  test('never approved: a request without steps', () => {
    const facts = request([]);
    expect(settle({ request: facts, roster: people, delegations: [], now: NOW }).result).toBe(
      'pending',
    );
    expect(canBeMet([], people, facts.requester).ok).toBe(false);
    expect(canEverBeMet([], people).ok).toBe(false);
    expect(refusal(facts, people, 'dana')).toBe('wrong_step: another_step_is_current');
  });
});

describe('attack 3 (core): two decisions on one approval', () => {
  const people = roster(['rita', 'dana', 'bob'], { ops: ['dana', 'bob'] });
  const facts = request([step(any(1, group('ops')))]);

  test('the second decision of a race is refused once the first is stored', () => {
    const won = after(facts, decide(attempt(facts, people, 'dana')));
    expect(won.state).toBe('approved');
    for (const decision of ['approve', 'deny'] as const)
      expect(refusal(won, people, 'bob', { decision, step: 0 })).toBe(
        'request_already_resolved: request_resolved',
      );
  });

  test('an approval after a denial is refused', () => {
    const denied = after(facts, decide(attempt(facts, people, 'dana', { decision: 'deny' })));
    expect(denied.state).toBe('denied');
    expect(refusal(denied, people, 'bob')).toBe('request_already_resolved: request_resolved');
  });

  test('the same decision twice counts once', () => {
    const two = request([step(any(2, group('ops')))]);
    const once = approvedBy(two, people, 'dana');
    expect(once.state).toBe('pending');
    expect(refusal(once, people, 'dana')).toBe('already_decided: decided_already');
  });

  test('a decision meant for an earlier step does not slip into the next', () => {
    const two = request([step(any(1, user('dana'))), step(any(1, group('ops')))]);
    const second = approvedBy(two, people, 'dana');
    expect(second.step).toBe(1);
    expect(refusal(second, people, 'bob', { step: 0 })).toBe('wrong_step: another_step_is_current');
  });
});
