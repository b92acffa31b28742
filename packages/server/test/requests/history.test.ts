import { instant } from '@postern/shared';
import { describe, expect, it } from 'vitest';
import { composeHistory, type HistoryFacts } from '../../src/requests/history.ts';
import { any, manager, step } from './world.ts';

const at = instant;
const two = [step(any(1, manager)), step(any(2, manager))];
const raised = { from: 'new', to: 'pending', at: at(1), by: 'rita' };
const ended = (to: string, when: number, by: string | null) => ({
  from: 'pending',
  to,
  at: at(when),
  by,
});
const yes = (stepIndex: number, by: string, when: number, rest = {}) => ({
  step: stepIndex,
  decision: 'approve' as const,
  by,
  at: at(when),
  void: false,
  ...rest,
});

const facts = (more: Partial<HistoryFacts> = {}): HistoryFacts => ({
  request: { state: 'pending', step: 0, steps: two },
  changes: [raised],
  escalations: [],
  votes: [],
  ...more,
});

const told = (given: Partial<HistoryFacts>) =>
  composeHistory(facts(given)).map((e) => [e.event, e.step, e.at, e.by]);

describe('the history of a request', () => {
  it('begins when it was raised', () => {
    expect(composeHistory(facts())).toEqual([{ event: 'raised', step: null, ...raised }]);
  });

  it('a step is met by the last approval that counts in it; no other step is', () => {
    const votes = [yes(0, 'dana', 5), yes(1, 'ana', 7)];
    expect(told({ request: { state: 'pending', step: 1, steps: two }, votes })).toEqual([
      ['raised', null, 1, 'rita'],
      ['step_met', 0, 5, 'dana'],
    ]);
  });

  it('a vote that is void, or a denial, has met nothing', () => {
    const votes = [
      yes(0, 'dana', 5),
      yes(0, 'bo', 6, { void: true }),
      yes(0, 'ana', 7, { decision: 'deny' }),
    ];
    const request = { state: 'denied' as const, step: 1, steps: two };
    expect(told({ request, votes, changes: [raised, ended('denied', 7, 'ana')] })).toEqual([
      ['raised', null, 1, 'rita'],
      ['step_met', 0, 5, 'dana'],
      ['denied', null, 7, 'ana'],
    ]);
  });

  it('an approved request has met its last step, just before', () => {
    const request = { state: 'ended' as const, step: 1, steps: two };
    const changes = [
      raised,
      ended('approved', 8, 'bo'),
      { from: 'approved', to: 'ended', at: at(20), by: null },
    ];
    const votes = [yes(0, 'dana', 5), yes(1, 'ana', 7), yes(1, 'bo', 8)];
    expect(told({ request, changes, votes })).toEqual([
      ['raised', null, 1, 'rita'],
      ['step_met', 0, 5, 'dana'],
      ['step_met', 1, 8, 'bo'],
      ['approved', null, 8, 'bo'],
      ['ended', null, 20, null],
    ]);
  });

  it('an escalation that was enough has met the step', () => {
    const request = { state: 'pending' as const, step: 1, steps: two };
    const escalations = [{ step: 0, at: at(6), by: null }];
    expect(told({ request, escalations, votes: [yes(0, 'bo', 3)] })).toEqual([
      ['raised', null, 1, 'rita'],
      ['escalated', 0, 6, null],
      ['step_met', 0, 6, null],
    ]);
    expect(told({ request, escalations, votes: [yes(0, 'bo', 9)] }).at(-1)).toEqual([
      'step_met',
      0,
      9,
      'bo',
    ]);
  });

  it.each(['canceled', 'expired'] as const)('%s: no step is met by that', (to) => {
    const request = { state: to, step: 0, steps: two };
    expect(told({ request, changes: [raised, ended(to, 9, null)] })).toEqual([
      ['raised', null, 1, 'rita'],
      [to, null, 9, null],
    ]);
  });

  it('steps and escalations stay pending from and to', () => {
    const given = facts({ escalations: [{ step: 0, at: at(2), by: 'rita' }] });
    expect(composeHistory(given)[1]).toEqual({
      event: 'escalated',
      at: 2,
      from: 'pending',
      to: 'pending',
      step: 0,
      by: 'rita',
    });
  });

  it('a denied request whose current step had approvals has not met it', () => {
    const request = { state: 'denied' as const, step: 0, steps: two };
    const changes = [raised, ended('denied', 9, 'ana')];
    expect(told({ request, changes, votes: [yes(0, 'dana', 5)] }).map(([e]) => e)).toEqual([
      'raised',
      'denied',
    ]);
  });
});
