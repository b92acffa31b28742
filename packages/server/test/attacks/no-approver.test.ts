import { beforeAll, describe, expect, it } from 'vitest';
import { finishDue } from '../../src/requests/service-end.ts';
import {
  apply,
  askOf,
  codeOf,
  decide,
  makeUser,
  methodFor,
  REQUEST_TYPE,
  raise,
  raisedBy,
  show,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

const SPAN = 300;

onBoth('attack 2: nobody can approve', (kit) => {
  const demo = withDemo(kit);
  const as = (login: string) => demo.tokens[login];
  const state = async (id: string) => (await show(demo.service, as('uma'), id)).state;
  const member = (method: 'PUT' | 'DELETE', group: string, login: string) =>
    demo.service.call(
      as('pat'),
      method,
      `/groups/${demo.ids.groups[group]}/users/${demo.ids.users[login]}`,
    );

  beforeAll(() => apply(demo, 'pat', [{ kind: 'Group', name: 'empty' }]));

  describe('publishing is refused', () => {
    it.each([
      ['an empty group', { any: 1, of: ['group:empty'] }],
      ['more than a group has', { any: 3, of: ['group:linux-approvers'] }],
      [
        'two places that only the same person can fill',
        {
          all: [
            { any: 1, of: ['user:dana'] },
            { any: 1, of: ['user:dana'] },
          ],
        },
      ],
    ])('%s', async (_, needs) => {
      const { kind: _kind, ...definition } = REQUEST_TYPE;
      const made = await demo.service.call(as('sam'), 'POST', '/request_types', {
        ...definition,
        name: `Never ${JSON.stringify(needs).length}`,
        steps: [{ name: 'Step', needs }],
      });
      expect(made.statusCode).toBe(201);
      const published = await demo.service.call(
        as('sam'),
        'POST',
        `/request_types/${made.json().id}/publish`,
      );
      expect(codeOf(published)).toBe('request_type_unsatisfiable');
      await expect(askOf(demo, needs)).rejects.toThrow('request_type_unsatisfiable');
    });

    it('a later step that only spent people could meet', async () => {
      const needs = { any: 1, of: ['user:dana'] };
      await expect(
        apply(demo, 'sam', [
          {
            ...REQUEST_TYPE,
            steps: [
              { name: 'First', needs },
              { name: 'Second', needs },
            ],
          },
        ]),
      ).rejects.toThrow('request_type_unsatisfiable');
    });
  });

  it('raising is refused, and names the step and who is missing', async () => {
    await askOf(demo, { any: 1, of: ['manager'] });
    await makeUser(demo, 'orphan', { groups: ['linux-users'] });
    kit.clock.advance(1);
    const refused = await raise(demo.service, as('orphan'), await methodFor(demo, 'orphan'));
    expect(codeOf(refused)).toBe('no_eligible_approver');
    expect(refused.json().detail).toContain('"Approval"');
    expect(refused.json().detail).toContain('1 of manager (0 could)');
    const { list } = must(await demo.service.call(as('orphan'), 'GET', '/access_requests'));
    expect(list).toEqual([]);
  });

  it('a disabled manager is none', async () => {
    const boss = await makeUser(demo, 'boss');
    await makeUser(demo, 'junior', { groups: ['linux-users'], manager: 'boss' });
    kit.clock.advance(1);
    must(await demo.service.call(as('pat'), 'PATCH', `/users/${boss}`, { status: 'DISABLED' }));
    const refused = await raise(demo.service, as('junior'), await methodFor(demo, 'junior'));
    expect(codeOf(refused)).toBe('no_eligible_approver');
  });

  describe('when the approvers go while it is pending', () => {
    it('it stays pending, and time makes it expire, never open', async () => {
      await askOf(demo, { any: 2, of: ['group:linux-approvers'] }, { timeout: '5m' });
      const request = await raisedBy(demo, 'ellis');
      const first = await decide(demo.service, as('ana'), request);
      expect(codeOf(first)).toBe('200');
      must(await member('DELETE', 'linux-approvers', 'bo'));
      must(await member('DELETE', 'linux-approvers', 'ana'));
      const now = await show(demo.service, as('ellis'), request.id);
      expect([now.state, now.approval]).toEqual(['pending', null]);
      // Who voted and is no approver any more may still see what became of it, and not decide.
      expect(codeOf(await decide(demo.service, as('ana'), now))).not.toBe('200');
      kit.clock.advance(SPAN - 1);
      await kit.transact((tx) => finishDue(tx, request.id));
      expect(await state(request.id)).toBe('pending');
      kit.clock.advance(1);
      await kit.transact((tx) => finishDue(tx, request.id));
      expect(await state(request.id)).toBe('expired');
    });

    it('a vote given by somebody who left the group does not count for the last one', async () => {
      must(await member('PUT', 'linux-approvers', 'ana'));
      must(await member('PUT', 'linux-approvers', 'bo'));
      await makeUser(demo, 'cleo', { groups: ['linux-approvers'] });
      await makeUser(demo, 'dirk', { groups: ['linux-users'] });
      kit.clock.advance(1);
      const request = await raisedBy(demo, 'dirk');
      const first = must(await decide(demo.service, as('ana'), request));
      must(await member('DELETE', 'linux-approvers', 'ana'));
      const second = await decide(demo.service, as('bo'), first as never);
      expect([codeOf(second), second.json().state]).toEqual(['200', 'pending']);
      const third = await decide(demo.service, as('cleo'), second.json());
      expect(third.json().state).toBe('approved');
    });
  });

  it('time-outs expire, deny or ask more people, and none approves', async () => {
    for (const [on_timeout, ends] of [
      ['expire', 'expired'],
      ['deny', 'denied'],
      [{ escalate_to: ['group:security'] }, 'pending'],
    ] as const) {
      const login = `late-${ends}`;
      await makeUser(demo, login, { groups: ['linux-users'], manager: 'dana' });
      await askOf(demo, { any: 1, of: ['manager'] }, { timeout: '5m', on_timeout });
      kit.clock.advance(1);
      const request = await raisedBy(demo, login);
      kit.clock.advance(SPAN);
      await kit.transact((tx) => finishDue(tx, request.id));
      expect(await state(request.id)).toBe(ends);
      kit.clock.advance(SPAN);
      await kit.transact((tx) => finishDue(tx, request.id));
      expect(await state(request.id)).toBe(ends === 'pending' ? 'expired' : ends);
    }
  });

  it('a step whose time is over takes no yes, though no timer has come yet', async () => {
    for (const on_timeout of ['expire', { escalate_to: ['group:security'] }] as const) {
      const login = `overdue-${typeof on_timeout}`;
      await makeUser(demo, login, { groups: ['linux-users'], manager: 'dana' });
      await askOf(demo, { any: 1, of: ['manager'] }, { timeout: '5m', on_timeout });
      kit.clock.advance(1);
      const request = await raisedBy(demo, login);
      kit.clock.advance(300);
      expect(codeOf(await decide(demo.service, as('dana'), request))).toBe('state_conflict');
      expect(await state(request.id)).toBe('pending');
      await kit.transact((tx) => finishDue(tx, request.id));
      const after = await show(demo.service, as(login), request.id);
      const again = await decide(demo.service, as('dana'), after);
      expect(codeOf(again)).toBe(on_timeout === 'expire' ? 'request_already_resolved' : '200');
    }
  });

  it('an escalation counts the votes that were given before it', async () => {
    await makeUser(demo, 'esther', { groups: ['linux-users'], manager: 'dana' });
    // Ana and Bo have answered the second leaf; widened, the first one takes one of them.
    await askOf(
      demo,
      {
        all: [
          { any: 1, of: ['manager'] },
          { any: 1, of: ['group:linux-approvers'] },
        ],
      },
      { timeout: '5m', on_timeout: { escalate_to: ['group:linux-approvers'] } },
    );
    kit.clock.advance(1);
    const request = await raisedBy(demo, 'esther');
    const first = must(await decide(demo.service, as('bo'), request)) as never;
    const second = must(await decide(demo.service, as('cleo'), first)) as { state: string };
    expect(second.state).toBe('pending');
    kit.clock.advance(SPAN);
    await kit.transact((tx) => finishDue(tx, request.id));
    const after = await show(demo.service, as('uma'), request.id);
    expect(after.state).toBe('approved');
    expect(after.approval?.approved_at).toBe(new Date(kit.clock.now()).toISOString());
    await kit.transact((tx) => finishDue(tx, request.id));
    const history = await kit.db.sql
      .selectFrom('access_request_history')
      .select('to_state')
      .where('request_id', '=', request.id)
      .orderBy('seq')
      .execute();
    expect(history.map((h) => h.to_state)).toEqual(['pending', 'approved']);
  });
});
