import { plus, seconds } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { approversNow, revokers } from '../../src/requests/approvers.ts';
import { dueAt, mayEscalateFrom } from '../../src/requests/escalation.ts';
import type { OnTimeout } from '../../src/requests/model.ts';
import { any, group, human, manager, RAISED, request, roster, step, user, vote } from './world.ts';

const HOUR = seconds(3600);
const to: OnTimeout = { escalate_to: [group('sec')] };
const facts = (on_timeout: OnTimeout, rest = {}) =>
  request(
    [step(any(1, group('ops')), { timeout: HOUR, on_timeout, escalate_after: seconds(600) })],
    rest,
  );
const late = plus(RAISED, HOUR);
const early = plus(RAISED, seconds(3599));

describe('a time-out', () => {
  test('brings nothing before it is due', () => {
    for (const on of ['expire', 'deny', to] as const)
      expect(dueAt(facts(on), RAISED, early)).toBe('nothing');
  });

  test('brings what the step says, and never an approval', () => {
    expect(dueAt(facts('expire'), RAISED, late)).toBe('expire');
    expect(dueAt(facts('deny'), RAISED, late)).toBe('deny');
    expect(dueAt(facts(to), RAISED, late)).toBe('escalate');
  });

  test('after an escalation, which runs its own time, expires', () => {
    const escalated = facts(to, { escalated: [0] });
    expect(dueAt(escalated, late, plus(late, seconds(3599)))).toBe('nothing');
    expect(dueAt(escalated, late, plus(late, HOUR))).toBe('expire');
  });

  test('brings nothing to what is resolved, or has no such step', () => {
    expect(dueAt(facts('deny', { state: 'approved' }), RAISED, late)).toBe('nothing');
    expect(dueAt(facts('deny', { step: 1 }), RAISED, late)).toBe('nothing');
  });
});

describe('the requester escalates', () => {
  test('after the time the step names, once', () => {
    expect(mayEscalateFrom(facts(to), RAISED)).toBe(plus(RAISED, seconds(600)));
    expect(mayEscalateFrom(facts(to, { escalated: [0] }), RAISED)).toBeUndefined();
  });

  test('never where the step names nobody or no time, or is resolved', () => {
    expect(mayEscalateFrom(facts('expire'), RAISED)).toBeUndefined();
    expect(mayEscalateFrom(facts(to, { state: 'denied' }), RAISED)).toBeUndefined();
    expect(mayEscalateFrom(facts(to, { step: 1 }), RAISED)).toBeUndefined();
    const never = request([step(any(1, group('ops')), { on_timeout: to })]);
    expect(mayEscalateFrom(never, RAISED)).toBeUndefined();
  });
});

describe('whom a request asks', () => {
  const people = roster(['rita', 'dana', 'bob', 'kim', human('eve', { active: false })], {
    manager: ['dana'],
    ops: ['rita', 'bob', 'eve'],
    sec: ['kim'],
  });
  const two = request([
    step(any(1, group('ops'), manager), { on_timeout: to }),
    step(any(1, user('kim'))),
  ]);

  test('those the current step asks: not the requester, not the disabled', () => {
    expect([...approversNow(two, people)].sort()).toEqual(['bob', 'dana']);
    expect([...approversNow({ ...two, step: 1 }, people)]).toEqual(['kim']);
    expect([...approversNow({ ...two, step: 2 }, people)]).toEqual([]);
  });

  test('those an escalation added too', () => {
    expect([...approversNow({ ...two, escalated: [0] }, people)].sort()).toEqual([
      'bob',
      'dana',
      'kim',
    ]);
  });

  test('revoke: those who approved, for themselves or somebody, and those any step would ask now', () => {
    const approved = {
      ...request([step(any(1, manager))], { state: 'approved' }),
      votes: [vote('kim', { for: 'dana', persons: ['dana', 'kim'] })],
    };
    expect([...revokers(approved, people)].sort()).toEqual(['dana', 'kim']);
    expect([...revokers(two, people)].sort()).toEqual(['bob', 'dana', 'kim']);
  });

  test('revoke: not who was void, who denied, who is disabled, nor the requester', () => {
    const approved = request([step(any(1, manager))], {
      state: 'approved',
      votes: [vote('bob', { void: true }), vote('kim', { decision: 'deny' }), vote('eve')],
    });
    expect([...revokers(approved, people)]).toEqual(['dana']);
  });
});
