import type { AccessRequest, AccessRequestDetail } from '@postern/shared';
import { describe, expect, it } from 'vitest';
import { finishDue } from '../../src/requests/service-end.ts';
import {
  approvedFor,
  askOf,
  codeOf,
  decide,
  makeUser,
  methodFor,
  raisedBy,
  show,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { openAs, signIn } from '../kit/sessions.ts';

onBoth('what is kept of a request', (kit) => {
  const demo = withDemo(kit);
  let n = 0;

  const asker = async (): Promise<string> => {
    const login = `asker-${n++}`;
    await makeUser(demo, login, { manager: 'dana', groups: ['linux-users'] });
    kit.clock.advance(1);
    await demo.gateway.renew();
    return login;
  };
  const detail = async (login: string, id: string) =>
    (await show(demo.service, demo.tokens[login], id)) as AccessRequestDetail;
  const told = (request: AccessRequestDetail) =>
    request.history.map((e) => [e.event, e.step, e.by?.name ?? null]);

  it('its states with time and by whom, its approval, its sessions and how they ended', async () => {
    const login = await asker();
    const raised = await raisedBy(demo, login);
    kit.clock.advance(60);
    await demo.gateway.renew();
    must(await decide(demo.service, demo.tokens.dana, raised));
    const method = await methodFor(demo, login);
    const { response, key } = await openAs(demo.service, demo.tokens[login]!, { ...method });
    const { session } = must(response) as { session: { id: string } };
    must(await demo.gateway.call('POST', '/gateway/admissions', signIn(session.id, key)));
    must(await demo.service.call(demo.tokens[login], 'POST', `/access_requests/${raised.id}/drop`));
    const now = await detail('dana', raised.id);
    expect(told(now)).toEqual([
      ['raised', null, `Test ${login}`],
      ['step_met', 0, 'Dana Reyes'],
      ['approved', null, 'Dana Reyes'],
      ['ended', null, `Test ${login}`],
    ]);
    expect(now.history.map((e) => [e.from, e.to])).toEqual([
      ['new', 'pending'],
      ['pending', 'pending'],
      ['pending', 'approved'],
      ['approved', 'ended'],
    ]);
    expect(now.history[0]?.at).toBe(raised.created_at);
    expect(now.history[2]?.at).toBe(now.approval?.approved_at);
    expect(now.approval?.ended_at).toBe(now.history[3]?.at);
    expect(now.sessions).toMatchObject([
      {
        id: session.id,
        identity: 'pamadmin1',
        request_id: raised.id,
        recorded: true,
        state: 'cut',
        end_reason: 'dropped',
      },
    ]);
  });

  it('every answer and decision; one that is void says since when', async () => {
    await askOf(demo, { any: 2, of: ['group:linux-approvers'] });
    await makeUser(demo, 'leaver', { groups: ['linux-approvers'] });
    const login = await asker();
    const request = await raisedBy(demo, login);
    const one = must(await decide(demo.service, demo.tokens.leaver, request)) as AccessRequest;
    kit.clock.advance(60);
    await demo.gateway.renew();
    const people = must(await demo.service.call(demo.tokens.pat, 'GET', '/users?login=leaver'));
    const [leaver] = people.list as { id: string }[];
    const gone = { status: 'DISABLED' };
    must(await demo.service.call(demo.tokens.pat, 'PATCH', `/users/${leaver!.id}`, gone));
    must(await decide(demo.service, demo.tokens.ana, one));
    const now = await detail('uma', request.id);
    expect(now.state).toBe('pending');
    expect(now.answers).toEqual({ justification: 'rotate the logs' });
    expect(now.decisions.map((d) => [d.by.name, d.voided_at !== null])).toEqual([
      ['Test leaver', true],
      ['Ana Silva', false],
    ]);
    expect(told(now)).toEqual([['raised', null, `Test ${login}`]]);
  });

  it('escalated by the clock: by nobody, when it was', async () => {
    await askOf(
      demo,
      { any: 1, of: ['manager'] },
      { timeout: '1h', on_timeout: { escalate_to: ['group:linux-approvers'] } },
    );
    const login = await asker();
    const { id } = await raisedBy(demo, login);
    kit.clock.advance(3600);
    await demo.gateway.renew();
    await kit.transact((tx) => finishDue(tx, id));
    const escalated = await detail(login, id);
    expect(told(escalated)).toEqual([
      ['raised', null, `Test ${login}`],
      ['escalated', 0, null],
    ]);
    must(await decide(demo.service, demo.tokens.bo, escalated));
    expect(told(await detail(login, id)).slice(2)).toEqual([
      ['step_met', 0, 'Bo Lind'],
      ['approved', null, 'Bo Lind'],
    ]);
  });

  describe('who reads it', () => {
    it.each(['ellis', 'dana', 'ana', 'sam', 'uma'])('%s may', async (login) => {
      await askOf(demo, {
        either: [
          { any: 1, of: ['manager'] },
          { any: 2, of: ['group:linux-approvers'] },
        ],
      });
      const list = await demo.service.call(demo.tokens.uma, 'GET', '/access_requests?view=all');
      const of = (must(list).list as AccessRequest[]).find((r) => r.requester.name === 'Ellis Kim');
      const { id } = of ?? (await approvedFor(demo));
      expect((await detail(login, id)).history.length).toBe(3);
    });

    it('a stranger does not, nor another engineer', async () => {
      const { id } = await raisedBy(demo, await asker());
      for (const login of [await asker(), 'ellis'])
        expect(
          codeOf(await demo.service.call(demo.tokens[login], 'GET', `/access_requests/${id}`)),
        ).toBe('not_found');
    });

    it('a list stays short: neither history nor sessions', async () => {
      const list = await demo.service.call(demo.tokens.uma, 'GET', '/access_requests?view=all');
      for (const request of must(list).list as object[])
        expect(Object.keys(request)).not.toEqual(expect.arrayContaining(['history']));
      expect(list.body).not.toContain('"sessions"');
    });
  });
});
