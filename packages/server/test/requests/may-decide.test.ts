import { plus, seconds } from '@postern/shared';
import { describe, expect, test } from 'vitest';
import { checkAgain, mayDecide } from '../../src/requests/may-decide.ts';
import { REASONS } from '../../src/requests/reasons.ts';
import {
  all,
  any,
  approvedBy,
  attempt,
  delegation,
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

const says = (...args: Parameters<typeof attempt>) => {
  const may = mayDecide(attempt(...args));
  return may.ok ? `allowed, spends ${may.persons.join(' ')}` : `${may.code}: ${may.reason}`;
};

const people = roster(['rita', 'dana', 'bob', 'eve'], { ops: ['dana', 'bob'], manager: ['dana'] });
const ops = request([step(any(2, group('ops')))]);

describe('who may decide', () => {
  test('allow: a member of the approving group', () => {
    expect(says(ops, people, 'dana')).toBe('allowed, spends dana');
  });

  test('allow: whoever is asked by any leaf of the tree', () => {
    const tree = either(any(1, manager), all(any(2, group('ops')), any(1, user('eve'))));
    for (const who of ['dana', 'bob', 'eve'])
      expect(says(request([step(tree)]), people, who)).toBe(`allowed, spends ${who}`);
  });

  test('deny: somebody whom no leaf asks', () => {
    expect(says(ops, people, 'eve')).toBe('not_an_approver: not_in_step');
  });

  test('deny: somebody nobody knows', () => {
    expect(says(ops, people, 'ghost')).toBe('not_permitted: actor_inactive');
  });

  test('deny: a disabled member', () => {
    const off = roster(['rita', human('dana', { active: false })], { ops: ['dana'] });
    expect(says(ops, off, 'dana')).toBe('not_permitted: actor_inactive');
  });

  test('deny: an approver of a later step', () => {
    const two = request([step(any(1, user('dana'))), step(any(1, user('bob')))]);
    expect(says(two, people, 'bob')).toBe('not_an_approver: not_in_step');
    expect(says(two, people, 'bob', { step: 1 })).toBe('wrong_step: another_step_is_current');
  });

  test('deny: a step that does not exist', () => {
    for (const s of [-1, 1, 0.5, Number.NaN])
      expect(says({ ...ops, step: s }, people, 'dana')).toBe('wrong_step: another_step_is_current');
  });

  test.each([
    'approved',
    'denied',
    'canceled',
    'expired',
    'active',
    'ended',
    'revoked',
    'failed',
  ] as const)('deny: the request is %s', (state) => {
    expect(says({ ...ops, state }, people, 'dana')).toBe(
      'request_already_resolved: request_resolved',
    );
  });

  test('deny: whoever decided this step already, whatever he says now', () => {
    const voted = approvedBy(ops, people, 'dana');
    for (const decision of ['approve', 'deny'] as const)
      expect(says(voted, people, 'dana', { decision })).toBe('already_decided: decided_already');
  });

  test('allow: whoever decided this step, but was found void', () => {
    const voted = { ...ops, votes: [vote('dana', { void: true })] };
    expect(says(voted, people, 'dana')).toBe('allowed, spends dana');
  });

  test('deny: whoever approved an earlier step, needed there or not', () => {
    const two = request([step(any(1, group('ops'))), step(any(1, group('ops')))], {
      step: 1,
      votes: [vote('dana')],
    });
    expect(says(two, people, 'dana')).toBe('already_decided: counted_in_earlier_step');
    expect(says(two, people, 'bob')).toBe('allowed, spends bob');
  });

  test('allow: whoever approved an earlier step may still deny a later one', () => {
    const two = request([step(any(1, group('ops'))), step(any(1, group('ops')))], {
      step: 1,
      votes: [vote('dana')],
    });
    expect(says(two, people, 'dana', { decision: 'deny' })).toBe('allowed, spends dana');
  });

  test('allow: whoever was void in an earlier step', () => {
    const two = request([step(any(1, user('bob'))), step(any(1, group('ops')))], {
      step: 1,
      votes: [vote('dana', { void: true }), vote('bob')],
    });
    expect(says(two, people, 'dana')).toBe('allowed, spends dana');
  });
});

describe('standing in', () => {
  const d = delegation('dana', 'eve');
  const forDana = { for_user: 'dana', delegations: [d] };

  test('allow: a stand-in decides with the eligibility of the other and spends both', () => {
    expect(says(ops, people, 'eve', forDana)).toBe('allowed, spends dana eve');
  });

  test('deny: a stand-in decides in his own name where only the other is asked', () => {
    expect(says(ops, people, 'eve', { delegations: [d] })).toBe('not_an_approver: not_in_step');
  });

  test('deny: no delegation, or one between others, or the wrong way round', () => {
    for (const delegations of [
      [],
      [delegation('bob', 'eve')],
      [delegation('eve', 'dana')],
      [delegation('dana', 'bob')],
    ])
      expect(says(ops, people, 'eve', { for_user: 'dana', delegations })).toBe(
        'not_an_approver: no_delegation',
      );
  });

  test('deny: delegations are not transitive', () => {
    const delegations = [delegation('dana', 'bob'), delegation('bob', 'eve')];
    expect(
      says(request([step(any(1, user('dana')))]), people, 'eve', { for_user: 'dana', delegations }),
    ).toBe('not_an_approver: no_delegation');
    expect(
      says(request([step(any(1, user('dana')))]), people, 'eve', { for_user: 'bob', delegations }),
    ).toBe('not_an_approver: not_in_step');
  });

  test('a delegation holds from its start until, and not at, its end', () => {
    const span = (starts: number, ends: number) => [
      delegation('dana', 'eve', {
        starts_at: plus(NOW, seconds(starts)),
        ends_at: plus(NOW, seconds(ends)),
      }),
    ];
    const at = (starts: number, ends: number) =>
      says(ops, people, 'eve', { for_user: 'dana', delegations: span(starts, ends) });
    expect(at(0, 1)).toBe('allowed, spends dana eve');
    expect(at(-1, 0)).toBe('not_an_approver: no_delegation');
    expect(at(1, 2)).toBe('not_an_approver: no_delegation');
    expect(at(-1, 1)).toBe('allowed, spends dana eve');
  });

  test('deny: either of the two is disabled', () => {
    const lost = (id: string) =>
      roster(['rita', 'bob', ...['dana', 'eve'].map((n) => human(n, { active: n !== id }))], {
        ops: ['dana'],
      });
    expect(says(ops, lost('dana'), 'eve', forDana)).toBe('not_permitted: person_inactive');
    expect(says(ops, lost('eve'), 'eve', forDana)).toBe('not_permitted: actor_inactive');
  });

  test('deny: the person stood in for, or the stand-in, has decided already', () => {
    const both = roster(['rita', 'dana', 'bob', 'eve'], { ops: ['dana', 'bob', 'eve'] });
    const three = request([step(any(3, group('ops')))]);
    const already = 'already_decided: decided_already';
    expect(says(approvedBy(three, both, 'dana'), both, 'eve', forDana)).toBe(already);
    expect(says(approvedBy(three, both, 'eve'), both, 'eve', forDana)).toBe(already);
    const stoodIn = { ...three, votes: [vote('eve', { for: 'dana', persons: ['dana', 'eve'] })] };
    expect(says(stoodIn, both, 'dana')).toBe(already);
    expect(says(stoodIn, both, 'eve')).toBe(already);
    expect(says(stoodIn, both, 'bob')).toBe('allowed, spends bob');
  });

  test('for himself is not standing in', () => {
    expect(mayDecide(attempt(ops, people, 'dana', { for_user: 'dana' }))).toEqual({
      ok: true,
      persons: ['dana'],
      for: null,
    });
  });

  test('deny: a service user stands in for nobody, and nobody for it', () => {
    const bots = roster(['rita', 'dana', 'eve', service('bot', ['eve'])], { ops: ['dana'] });
    const named = request([step(any(1, user('bot'), group('ops')))]);
    const delegations = [delegation('dana', 'bot'), delegation('bot', 'dana')];
    expect(says(named, bots, 'bot', { for_user: 'dana', delegations })).toBe(
      'not_an_approver: no_delegation',
    );
    expect(says(named, bots, 'dana', { for_user: 'bot', delegations })).toBe(
      'not_an_approver: no_delegation',
    );
  });

  test('deny: standing in for somebody nobody knows', () => {
    expect(
      says(ops, people, 'eve', { for_user: 'ghost', delegations: [delegation('ghost', 'eve')] }),
    ).toBe('not_an_approver: no_delegation');
  });
});

describe('persons count, not accounts', () => {
  const bots = roster(
    [
      'rita',
      'dana',
      'bob',
      service('bot', ['dana']),
      service('two', ['dana', 'bob']),
      service('orphan', []),
    ],
    { ops: ['dana', 'bob', 'bot'] },
  );
  const named = request([step(any(2, group('ops'), user('bot'), user('two'), user('orphan')))]);

  test('allow: a service user that the step names; it spends its owners', () => {
    expect(says(named, bots, 'bot')).toBe('allowed, spends dana');
    expect(says(named, bots, 'two')).toBe('allowed, spends bob dana');
  });

  test('deny: a service user that is only in the group', () => {
    expect(says(ops, bots, 'bot')).toBe('not_an_approver: not_in_step');
  });

  test('deny: a service user that stands for nobody', () => {
    expect(says(named, bots, 'orphan')).toBe('not_permitted: person_inactive');
  });

  test('deny: a service user one of whose owners is disabled', () => {
    const left = roster(
      ['rita', 'bob', human('dana', { active: false }), service('two', ['dana', 'bob'])],
      {},
    );
    expect(says(named, left, 'two')).toBe('not_permitted: person_inactive');
  });

  test('deny: a service user one of whose owners nobody knows', () => {
    const odd = roster(['rita', service('bot', ['ghost', 'rob']), 'rob'], {});
    expect(says(named, odd, 'bot')).toBe('not_permitted: person_inactive');
  });

  test('deny: service users that own each other stand for nobody', () => {
    const ring = roster(['rita', service('bot', ['two']), service('two', ['bot'])], {});
    expect(says(named, ring, 'bot')).toBe('not_permitted: person_inactive');
  });

  test('deny: an owner after his service user, and the other way round', () => {
    const already = 'already_decided: decided_already';
    expect(says(approvedBy(named, bots, 'bot'), bots, 'dana')).toBe(already);
    expect(says(approvedBy(named, bots, 'dana'), bots, 'bot')).toBe(already);
    expect(says(approvedBy(named, bots, 'dana'), bots, 'two')).toBe(already);
    expect(says(approvedBy(named, bots, 'bot'), bots, 'bob')).toBe('allowed, spends bob');
  });

  test('a token spends whoever issued it too', () => {
    expect(says(ops, people, 'dana', { token_issued_by: 'eve' })).toBe('allowed, spends dana eve');
    expect(says(ops, people, 'dana', { token_issued_by: 'dana' })).toBe('allowed, spends dana');
    expect(says(ops, people, 'dana', { token_issued_by: null })).toBe('allowed, spends dana');
  });

  test('deny: two tokens that one person issued', () => {
    const voted = {
      ...ops,
      votes: [vote('dana', { token_issued_by: 'eve', persons: ['dana', 'eve'] })],
    };
    expect(says(voted, people, 'bob', { token_issued_by: 'eve' })).toBe(
      'already_decided: decided_already',
    );
    expect(says(voted, people, 'bob')).toBe('allowed, spends bob');
  });

  test('deny: a token whose issuer is disabled or nobody knows', () => {
    const left = roster(['rita', 'dana', human('pat', { active: false })], { ops: ['dana'] });
    for (const token_issued_by of ['pat', 'ghost'])
      expect(says(ops, left, 'dana', { token_issued_by })).toBe('not_permitted: person_inactive');
  });

  test('deny: an issuer who approved an earlier step', () => {
    const two = request([step(any(1, user('eve'))), step(any(2, group('ops')))], {
      step: 1,
      votes: [vote('eve')],
    });
    expect(says(two, people, 'dana', { token_issued_by: 'eve' })).toBe(
      'already_decided: counted_in_earlier_step',
    );
  });
});

describe('checked again, a vote does not stand any more when', () => {
  const again = (
    v: ReturnType<typeof vote>,
    now = people,
    delegations = [delegation('dana', 'eve')],
  ) => {
    const checked = checkAgain(v, { request: ops, roster: now, delegations, now: NOW });
    return checked.stands ? `stands, spends ${checked.persons.join(' ')}` : checked.reason;
  };

  test('(nothing happened: it stands)', () => {
    expect(again(vote('dana'))).toBe('stands, spends dana');
    expect(again(vote('eve', { for: 'dana', persons: ['dana', 'eve'] }))).toBe(
      'stands, spends dana eve',
    );
  });

  test('the voter was disabled', () => {
    expect(again(vote('dana'), roster([human('dana', { active: false })], { ops: ['dana'] }))).toBe(
      'actor_inactive',
    );
  });

  test('the voter left the group', () => {
    expect(again(vote('dana'), roster(['dana', 'bob'], { ops: ['bob'] }))).toBe('not_in_step');
  });

  test('the delegation ended', () => {
    expect(again(vote('eve', { for: 'dana', persons: ['dana', 'eve'] }), people, [])).toBe(
      'no_delegation',
    );
  });

  test('the person stood in for was disabled or left', () => {
    const stoodIn = vote('eve', { for: 'dana', persons: ['dana', 'eve'] });
    const off = roster(['eve', human('dana', { active: false })], { ops: ['dana'] });
    expect(again(stoodIn, off)).toBe('person_inactive');
    expect(again(stoodIn, roster(['eve', 'dana'], { ops: [] }))).toBe('not_in_step');
  });

  test('the issuer of the token was disabled', () => {
    const off = roster(['dana', human('eve', { active: false })], { ops: ['dana'] });
    expect(again(vote('dana', { token_issued_by: 'eve', persons: ['dana', 'eve'] }), off)).toBe(
      'person_inactive',
    );
  });

  test('somebody it spent when it was given was disabled, though he stands behind it no more', () => {
    const off = roster(['dana', human('pat', { active: false })], { ops: ['dana'] });
    expect(again(vote('dana', { persons: ['dana', 'pat'] }), off)).toBe('person_inactive');
  });

  test('the requester came to own the service user', () => {
    const facts = request([step(any(1, user('bot')))]);
    const owned = roster(['rita', 'dana', service('bot', ['dana', 'rita'])], {});
    const checked = checkAgain(vote('bot', { persons: ['dana'] }), {
      request: facts,
      roster: owned,
      delegations: [],
      now: NOW,
    });
    expect(checked).toEqual({ stands: false, reason: 'owned_by_requester' });
  });

  test('a new owner of the service user is spent too', () => {
    const facts = request([step(any(1, user('bot')))]);
    const owned = roster(['rita', 'dana', 'bob', service('bot', ['bob'])], {});
    const checked = checkAgain(vote('bot', { persons: ['dana'] }), {
      request: facts,
      roster: owned,
      delegations: [],
      now: NOW,
    });
    expect(checked).toEqual({ stands: true, persons: ['bob', 'dana'] });
  });

  test('its person was counted in an earlier step', () => {
    const facts = request([step(any(1, group('ops'))), step(any(1, group('ops')))], {
      step: 1,
      votes: [vote('dana')],
    });
    const checked = checkAgain(vote('dana', { step: 1 }), {
      request: facts,
      roster: people,
      delegations: [],
      now: NOW,
    });
    expect(checked).toEqual({ stands: false, reason: 'counted_in_earlier_step' });
  });
});

test('every refusal says what can be done', () => {
  for (const { detail } of Object.values(REASONS)) {
    expect(detail.length).toBeGreaterThan(40);
    expect(detail).toMatch(/^[A-Z].*[.;].*\.$/);
  }
});
