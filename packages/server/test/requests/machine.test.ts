import { describe, expect, test } from 'vitest';
import { type Event, isFinal, LEGAL_PAIRS, transition } from '../../src/requests/machine.ts';
import type { RequestState } from '../../src/requests/model.ts';

const STATES: RequestState[] = [
  'pending',
  'approved',
  'denied',
  'canceled',
  'expired',
  'active',
  'ended',
  'revoked',
  'failed',
];
const EVENTS: Event[] = [
  'raise',
  'approve',
  'deny',
  'cancel',
  'expire',
  'activate',
  'end',
  'revoke',
  'fail',
];

describe('the state machine of an access request', () => {
  test('the legal pairs are exactly these', () => {
    expect(LEGAL_PAIRS.map(([from, to]) => `${from ?? '-'} → ${to}`)).toEqual([
      '- → pending',
      'pending → approved',
      'pending → denied',
      'pending → canceled',
      'pending → expired',
      'approved → active',
      'approved → ended',
      'approved → revoked',
      'approved → failed',
      'active → ended',
      'active → revoked',
      'active → failed',
    ]);
  });

  test('every event from every state lands on a legal pair or is refused', () => {
    for (const from of [null, ...STATES])
      for (const event of EVENTS)
        for (const purpose of ['server_access', 'group_membership'] as const) {
          const moved = transition(from, event, purpose);
          if (moved.ok) expect(LEGAL_PAIRS).toContainEqual([from, moved.to]);
        }
  });

  test('every legal pair is reached by an event', () => {
    for (const [from, to] of LEGAL_PAIRS) {
      const reached = EVENTS.map((event) => transition(from, event, 'group_membership'));
      expect(reached).toContainEqual({ ok: true, to });
    }
  });

  test('approved is reached from pending only', () => {
    for (const from of [null, ...STATES])
      expect(transition(from, 'approve', 'server_access').ok, `${from}`).toBe(from === 'pending');
  });

  test('server access is never active', () => {
    expect(transition('approved', 'activate', 'group_membership')).toEqual({
      ok: true,
      to: 'active',
    });
    expect(transition('approved', 'activate', 'server_access')).toEqual({
      ok: false,
      code: 'state_conflict',
    });
  });

  test('resolving a request that is not pending any more: request_already_resolved', () => {
    for (const from of STATES.filter((s) => s !== 'pending'))
      for (const event of ['approve', 'deny', 'cancel', 'expire'] as const)
        expect(transition(from, event, 'server_access')).toEqual({
          ok: false,
          code: 'request_already_resolved',
        });
  });

  test('what is not approved can be neither revoked nor ended: state_conflict', () => {
    for (const from of ['pending', 'denied', 'canceled', 'expired', 'ended', 'revoked'] as const)
      for (const event of ['revoke', 'end'] as const)
        expect(transition(from, event, 'server_access')).toEqual({
          ok: false,
          code: 'state_conflict',
        });
  });

  test('denied, canceled, expired, ended, revoked and failed are final', () => {
    expect(STATES.filter(isFinal)).toEqual([
      'denied',
      'canceled',
      'expired',
      'ended',
      'revoked',
      'failed',
    ]);
  });
});
