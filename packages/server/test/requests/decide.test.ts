import { describe, expect, test } from 'vitest';
import { decide, settle } from '../../src/requests/decide.ts';
import type { RequestFacts, Roster } from '../../src/requests/model.ts';
import {
  after,
  all,
  any,
  approvedBy,
  attempt,
  either,
  group,
  human,
  manager,
  NOW,
  request,
  roster,
  service,
  step,
  user,
  vote,
} from './world.ts';

const people = roster(['rita', 'dana', 'bob', 'eve', 'kim'], {
  manager: ['dana'],
  ops: ['bob', 'eve'],
  sec: ['eve', 'kim'],
});
const outcome = (facts: RequestFacts, now: Roster, actor: string, rest = {}) => {
  const out = decide(attempt(facts, now, actor, rest));
  return out.ok ? out.result : out.reason;
};
const settled = (facts: RequestFacts, now: Roster) =>
  settle({ request: facts, roster: now, delegations: [], now: NOW });

describe('one decision', () => {
  const managerOrTwo = request([step(either(any(1, manager), any(2, group('ops'))))]);

  test('the manager alone approves', () => {
    expect(decide(attempt(managerOrTwo, people, 'dana', { vote_id: 'v1' }))).toEqual({
      ok: true,
      vote: {
        id: 'v1',
        step: 0,
        decision: 'approve',
        by: 'dana',
        for: null,
        token_issued_by: null,
        persons: ['dana'],
        void: false,
      },
      result: 'approved',
      state: 'approved',
      step: 0,
      void: [],
    });
  });

  test('one of two leaves it pending, the second approves', () => {
    expect(outcome(managerOrTwo, people, 'bob')).toBe('pending');
    expect(outcome(approvedBy(managerOrTwo, people, 'bob'), people, 'eve')).toBe('approved');
  });

  test('one denial denies, whatever was approved before', () => {
    const almost = approvedBy(managerOrTwo, people, 'bob');
    expect(decide(attempt(almost, people, 'eve', { decision: 'deny' }))).toMatchObject({
      result: 'denied',
      state: 'denied',
      void: [],
    });
  });

  test('a denial by somebody who is not asked is refused', () => {
    expect(outcome(managerOrTwo, people, 'kim', { decision: 'deny' })).toBe('not_in_step');
  });

  test('the vote keeps by whose token it came and for whom', () => {
    const out = decide(attempt(managerOrTwo, people, 'bob', { token_issued_by: 'kim' }));
    expect(out).toMatchObject({
      vote: { by: 'bob', token_issued_by: 'kim', persons: ['bob', 'kim'] },
    });
  });
});

describe('quorum: distinct people matched to the leaves, not a greedy count', () => {
  test('somebody who is in two groups fills one place only', () => {
    const both = request([step(all(any(1, group('ops')), any(1, group('sec'))))]);
    expect(outcome(both, people, 'eve')).toBe('pending');
    expect(outcome(approvedBy(both, people, 'eve'), people, 'kim')).toBe('approved');
  });

  test('he moves to the other place when somebody else needs his', () => {
    const both = request([step(all(any(1, group('ops')), any(1, group('sec'))))]);
    for (const order of [
      ['eve', 'bob'],
      ['bob', 'eve'],
      ['kim', 'eve'],
      ['eve', 'kim'],
    ])
      expect(approvedBy(both, people, ...order).state).toBe('approved');
  });

  test('two of one group are not one of each', () => {
    const both = request([step(all(any(1, user('dana')), any(1, group('sec'))))]);
    expect(approvedBy(both, people, 'eve', 'kim').state).toBe('pending');
  });

  test('a chain of three is found', () => {
    const chain = roster(['rita', 'x', 'y', 'z'], { g: ['x', 'y'], h: ['y', 'z'], i: ['z'] });
    const facts = request([step(all(any(1, group('g')), any(1, group('h')), any(1, group('i'))))]);
    for (const order of [
      ['x', 'y', 'z'],
      ['z', 'y', 'x'],
      ['y', 'x', 'z'],
    ])
      expect(approvedBy(facts, chain, ...order).state).toBe('approved');
  });

  test('an alternative inside a conjunction', () => {
    const tree = all(any(1, manager), either(any(2, group('ops')), any(1, user('kim'))));
    expect(approvedBy(request([step(tree)]), people, 'bob', 'dana').state).toBe('pending');
    expect(approvedBy(request([step(tree)]), people, 'bob', 'dana', 'kim').state).toBe('approved');
    expect(approvedBy(request([step(tree)]), people, 'bob', 'dana', 'eve').state).toBe('approved');
  });

  test('a service user and its owner are one person', () => {
    const bots = roster(['rita', 'bob', 'eve', service('bot', ['bob'])], { ops: ['bob', 'eve'] });
    const facts = request([step(all(any(1, user('bot')), any(1, group('ops'))))]);
    expect(approvedBy(facts, bots, 'bot').state).toBe('pending');
    expect(approvedBy(facts, bots, 'bot', 'eve').state).toBe('approved');
    expect(outcome(approvedBy(facts, bots, 'bot'), bots, 'bob')).toBe('decided_already');
  });

  test('two stored votes that share a person count as one', () => {
    const facts = request([step(any(2, group('ops')))], {
      votes: [vote('bob', { persons: ['bob', 'pat'] }), vote('eve', { persons: ['eve', 'pat'] })],
    });
    const known = roster(['rita', 'bob', 'eve', 'pat'], { ops: ['bob', 'eve'] });
    expect(settled(facts, known).result).toBe('pending');
  });
});

describe('steps run in order', () => {
  const two = request([step(any(1, group('ops'))), step(any(1, group('sec')))]);

  test('a step that is met passes to the next, which begins with no votes', () => {
    const second = approvedBy(two, people, 'bob');
    expect(second).toMatchObject({ state: 'pending', step: 1 });
    expect(settled(second, people).result).toBe('pending');
  });

  test('nobody counted in an earlier step counts again', () => {
    const second = approvedBy(two, people, 'eve');
    expect(outcome(second, people, 'eve')).toBe('counted_in_earlier_step');
    expect(outcome(second, people, 'kim')).toBe('approved');
  });

  test('a surplus vote in an earlier step is spent as well', () => {
    const facts = request([
      step(either(any(1, manager), any(2, group('ops')))),
      step(any(1, group('sec'))),
    ]);
    const second = approvedBy(facts, people, 'eve', 'dana');
    expect(second.step).toBe(1);
    expect(outcome(second, people, 'eve')).toBe('counted_in_earlier_step');
  });

  test('a denial in the last step denies all', () => {
    const second = approvedBy(two, people, 'bob');
    expect(after(second, decide(attempt(second, people, 'kim', { decision: 'deny' }))).state).toBe(
      'denied',
    );
  });
});

describe('every vote is checked again with each decision', () => {
  const both = request([step(any(2, group('ops')))]);
  const voted = approvedBy(both, people, 'bob');

  test('a voter who was disabled is void, and the step stays pending', () => {
    const off = roster(['rita', human('bob', { active: false }), 'eve'], { ops: ['bob', 'eve'] });
    expect(decide(attempt(voted, off, 'eve'))).toMatchObject({
      ok: true,
      result: 'pending',
      state: 'pending',
      void: [{ vote_id: 'vote of bob on 0', reason: 'actor_inactive' }],
    });
  });

  test('a voter who left the group is void, and the step stays pending', () => {
    const left = roster(['rita', 'bob', 'eve', 'kim'], { ops: ['eve', 'kim'] });
    const pending = after(voted, decide(attempt(voted, left, 'eve')));
    expect(pending.votes.map((v) => `${v.by} ${v.void}`)).toEqual(['bob true', 'eve false']);
    expect(outcome(pending, left, 'kim')).toBe('approved');
  });

  test('who comes back after having been void must decide again', () => {
    const off = roster(['rita', human('bob', { active: false }), 'eve'], { ops: ['bob', 'eve'] });
    const pending = after(voted, decide(attempt(voted, off, 'eve')));
    expect(settled(pending, people).result).toBe('pending');
    expect(outcome(pending, people, 'bob')).toBe('approved');
  });

  test('a void vote does not stop the others from being enough', () => {
    const three = approvedBy(request([step(any(2, group('ops'), group('sec')))]), people, 'bob');
    const left = roster(['rita', 'bob', 'eve', 'kim'], { ops: ['eve'], sec: ['kim'] });
    const more = after(three, decide(attempt(three, left, 'eve')));
    expect(outcome(more, left, 'kim')).toBe('approved');
  });

  test('a denial voids nothing: it ends it', () => {
    const left = roster(['rita', 'eve'], { ops: ['eve'] });
    expect(decide(attempt(voted, left, 'eve', { decision: 'deny' }))).toMatchObject({
      result: 'denied',
      void: [],
    });
  });
});

describe('settling without a new decision', () => {
  test('votes given before an escalation count in the places it adds', () => {
    const facts = request([
      step(any(2, group('ops')), { on_timeout: { escalate_to: [group('sec')] } }),
    ]);
    const voted = approvedBy(facts, people, 'bob');
    expect(outcome(voted, people, 'kim')).toBe('not_in_step');
    const escalated = { ...voted, escalated: [0] };
    expect(settled(escalated, people).result).toBe('pending');
    expect(outcome(escalated, people, 'kim')).toBe('approved');
  });

  test('an escalation of one step does not open another', () => {
    const facts = request(
      [
        step(any(1, group('ops'))),
        step(any(1, manager), { on_timeout: { escalate_to: [group('sec')] } }),
      ],
      { escalated: [0], step: 1, votes: [vote('bob')] },
    );
    expect(outcome(facts, people, 'kim')).toBe('not_in_step');
    expect(outcome({ ...facts, escalated: [1] }, people, 'kim')).toBe('approved');
  });

  test('an escalation asks for as many people as before', () => {
    const facts = request(
      [step(any(2, group('ops')), { on_timeout: { escalate_to: [group('sec')] } })],
      {
        escalated: [0],
      },
    );
    expect(outcome(facts, people, 'kim')).toBe('pending');
  });

  test('what is not pending stays as it is', () => {
    for (const state of ['denied', 'canceled', 'expired', 'revoked'] as const) {
      const facts = request([step(any(1, group('ops')))], { state, votes: [vote('bob')] });
      expect(settled(facts, people)).toMatchObject({ result: 'pending', state });
      const two = { ...facts, steps: [...facts.steps, ...facts.steps] };
      expect(settled(two, people)).toMatchObject({ result: 'pending', state, step: 0 });
    }
  });

  test('denials that were stored never count as approvals', () => {
    const facts = request([step(any(1, group('ops')))], {
      votes: [vote('bob', { decision: 'deny' })],
    });
    expect(settled(facts, people).result).toBe('pending');
  });

  test('votes of another step never count', () => {
    const facts = request([step(any(1, group('ops'))), step(any(1, group('ops')))], {
      step: 1,
      votes: [vote('bob', { step: 0 }), vote('eve', { step: 2 })],
    });
    expect(settled(facts, people).result).toBe('pending');
  });
});
