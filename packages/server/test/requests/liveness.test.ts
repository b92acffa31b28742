import { describe, expect, test } from 'vitest';
import { canBeMet, canEverBeMet, canStillBeMet } from '../../src/requests/liveness.ts';
import type { RequestFacts, Roster } from '../../src/requests/model.ts';
import {
  all,
  any,
  approvedBy,
  either,
  group,
  manager,
  NOW,
  request,
  roster,
  service,
  step,
  user,
} from './world.ts';

const rita = request([]).requester;
const people = roster(['rita', 'dana', 'bob', service('bot', ['dana'])], {
  ops: ['dana', 'bob'],
  one: ['dana'],
  manager: ['dana'],
});
const owner = { kind: 'resource_owner' } as const;

describe('publish: a step that can never be met is refused', () => {
  const ever = (...steps: Parameters<typeof canEverBeMet>[0]) => canEverBeMet(steps, people).ok;

  test('more people than a group has', () => {
    expect(ever(step(any(2, group('ops'))))).toBe(true);
    expect(ever(step(any(3, group('ops'))))).toBe(false);
  });

  test('the same one person for two places, or for two steps', () => {
    expect(ever(step(all(any(1, group('one')), any(1, user('dana')))))).toBe(false);
    expect(ever(step(any(1, group('one'))), step(any(1, user('dana'))))).toBe(false);
    expect(ever(step(any(1, group('one'))), step(any(1, group('ops'))))).toBe(true);
  });

  test('a service user and its only owner', () => {
    expect(ever(step(any(1, user('bot'))), step(any(1, user('dana'))))).toBe(false);
    expect(ever(step(any(1, user('bot'))), step(any(1, group('ops'))))).toBe(true);
  });

  test('the manager is one unknown person', () => {
    expect(ever(step(any(1, manager)))).toBe(true);
    expect(ever(step(any(1, manager)), step(any(1, manager)))).toBe(false);
    expect(ever(step(any(2, manager, user('bob'))))).toBe(true);
  });

  test('owners are as many unknown people as are asked', () => {
    expect(ever(step(any(3, owner)), step(any(2, owner)))).toBe(true);
    expect(ever(step(any(3, { kind: 'group_owner' })))).toBe(true);
  });

  test('an alternative that cannot be met does not hide one that can', () => {
    expect(ever(step(either(any(5, group('ops')), any(1, group('one')))))).toBe(true);
    expect(ever(step(either(any(5, group('ops')), any(1, group('gone')))))).toBe(false);
  });

  test('the step is named, with what each of its leaves has', () => {
    const steps = [step(any(1, group('ops'))), step(any(2, group('one')), { name: 'Second' })];
    expect(canEverBeMet(steps, people)).toEqual({
      ok: false,
      step: 1,
      name: 'Second',
      missing: [{ any: 2, of: [group('one')], eligible: 1 }],
    });
  });

  test('what made somebody eligible does not matter yet', () => {
    const made = roster(['dana'], {
      ops: [{ user_id: 'dana', made_by: ['ghost'], made_at: null }],
    });
    expect(canEverBeMet([step(any(1, group('ops')))], made).ok).toBe(true);
  });
});

describe('raise: what this requester cannot have approved is refused', () => {
  test('his own eligibility does not count', () => {
    expect(canBeMet([step(any(2, group('ops')))], people, rita).ok).toBe(true);
    expect(canBeMet([step(any(2, group('ops')))], people, { ...rita, id: 'bob' })).toMatchObject({
      ok: false,
      step: 0,
      missing: [{ any: 2, eligible: 1 }],
    });
  });

  test('nor that of the service user he owns, or of its owner when it raises', () => {
    expect(canBeMet([step(any(1, user('bot')))], people, { ...rita, id: 'dana' }).ok).toBe(false);
    expect(canBeMet([step(any(1, group('one')))], people, { ...rita, id: 'bot' }).ok).toBe(false);
  });

  test('nor that of whoever issued the token he raises with', () => {
    expect(
      canBeMet([step(any(1, group('one')))], people, { ...rita, token_issued_by: 'dana' }).ok,
    ).toBe(false);
  });

  test('distinct people over all steps', () => {
    const steps = [step(any(1, manager)), step(any(1, group('one')), { name: 'Second' })];
    expect(canBeMet(steps, people, rita)).toMatchObject({ ok: false, step: 1, name: 'Second' });
  });
});

describe('running: whether a request can still be approved', () => {
  const still = (request: RequestFacts, now: Roster = people) =>
    canStillBeMet({ request, roster: now, delegations: [], now: NOW });

  test('a vote that was needed later makes it impossible', () => {
    const facts = request([step(any(1, group('ops'))), step(any(1, group('one')))]);
    expect(still(facts).ok).toBe(true);
    expect(still(approvedBy(facts, people, 'bob')).ok).toBe(true);
    expect(still(approvedBy(facts, people, 'dana'))).toMatchObject({ ok: false, step: 1 });
  });

  test('who voted in the current step is no help in a later one', () => {
    const facts = request([step(any(2, group('ops'))), step(any(1, group('one')))]);
    const three = roster(['rita', 'dana', 'bob', 'eve'], {
      ops: ['dana', 'bob', 'eve'],
      one: ['dana'],
    });
    expect(still(approvedBy(facts, three, 'bob'), three).ok).toBe(true);
    expect(still(approvedBy(facts, three, 'dana'), three)).toMatchObject({ ok: false, step: 1 });
  });

  test('the votes that stand count, and the people who left do not', () => {
    const voted = approvedBy(request([step(any(2, group('ops')))]), people, 'bob');
    expect(still(voted).ok).toBe(true);
    expect(still(voted, roster(['rita', 'bob'], { ops: ['bob'] })).ok).toBe(false);
    expect(still(voted, roster(['rita', 'dana', 'bob'], { ops: ['dana'] })).ok).toBe(false);
  });

  test('an escalation can make it possible again', () => {
    const facts = request([
      step(any(1, group('gone')), { on_timeout: { escalate_to: [group('ops')] } }),
    ]);
    expect(still(facts).ok).toBe(false);
    expect(still({ ...facts, escalated: [0] }).ok).toBe(true);
  });
});
