import type { AccessRequest } from '@postern/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import { finishDue } from '../../src/requests/service-end.ts';
import { askOf, codeOf, decide, makeUser, raisedBy, show, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

const HOUR = 3_600;

onBoth('escalation', (kit) => {
  const demo = withDemo(kit);
  let login: string;
  let n = 0;

  const ask = (more: Record<string, unknown>) =>
    askOf(demo, { any: 1, of: ['manager'] }, { timeout: '8h', ...more });
  const raise = async (): Promise<AccessRequest> => {
    login = `asker-${n++}`;
    await makeUser(demo, login, { manager: 'dana', groups: ['linux-users'] });
    kit.clock.advance(1);
    return raisedBy(demo, login);
  };
  const escalate = (by: string, id: string, body: unknown = { reason: 'The shop is down.' }) =>
    demo.service.call(demo.tokens[by], 'POST', `/access_requests/${id}/escalate`, body);
  const told = async (id: string, kind: string): Promise<string[]> => {
    const rows = await kit.db.sql
      .selectFrom('messages as m')
      .innerJoin('users as u', 'u.id', 'm.to_user_id')
      .select('u.login')
      .where('m.request_id', '=', id)
      .where('m.kind', '=', kind)
      .execute();
    return rows.map((row) => row.login).sort();
  };
  const events = async (id: string): Promise<string[]> =>
    (
      await kit.db.sql
        .selectFrom('audit_events')
        .select('type')
        .where('request_id', '=', id)
        .orderBy('id')
        .execute()
    ).map((event) => event.type);

  describe('by the requester', () => {
    beforeEach(() =>
      ask({ on_timeout: { escalate_to: ['group:linux-approvers'] }, escalate_after: '1h' }),
    );

    it('not before the step’s escalate_after, and then once', async () => {
      const { id } = await raise();
      const early = await escalate(login, id);
      expect([early.statusCode, early.json().code]).toEqual([409, 'state_conflict']);
      expect(early.json().detail).toMatch(/You may escalate this step from \d{4}-.*Z on\./);
      kit.clock.advance(HOUR);
      expect((await escalate(login, id)).statusCode).toBe(200);
      const again = await escalate(login, id);
      expect(again.json().detail).toBe('This step has been escalated already.');
    });

    it('adds approvers and removes none; the reason is on record; they are told', async () => {
      const { id } = await raise();
      kit.clock.advance(HOUR);
      const now = must(await escalate(login, id)) as AccessRequest;
      expect(now.steps[0]!.still_needed).toEqual([
        { any: 1, of: ['Dana Reyes', 'group:linux-approvers'] },
      ]);
      expect(now.comments.map((c) => c.text)).toEqual(['The shop is down.']);
      expect(await told(id, 'request_escalated')).toEqual(['ana', 'bo', 'dana']);
      expect(await events(id)).toContain('access.request.escalate');
      const approved = must(await decide(demo.service, demo.tokens.ana, now)) as AccessRequest;
      expect(approved.state).toBe('approved');
    });

    it('gives the step its time once more', async () => {
      const { id } = await raise();
      kit.clock.advance(2 * HOUR);
      const now = must(await escalate(login, id)) as AccessRequest;
      expect(Date.parse(now.steps[0]!.expires_at!)).toBe(kit.clock.now() + 8 * HOUR * 1000);
    });

    it('the card that was read before is stale: 412', async () => {
      const before = await raise();
      kit.clock.advance(HOUR);
      must(await escalate(login, before.id));
      expect(codeOf(await decide(demo.service, demo.tokens.dana, before))).toBe(
        'precondition_failed',
      );
    });

    it('nobody else escalates it, not even an approver: 404 or not permitted', async () => {
      const { id } = await raise();
      kit.clock.advance(HOUR);
      for (const by of ['dana', 'ana', 'bo', 'sam', 'pat', 'uma'])
        expect([by, codeOf(await escalate(by, id))]).toEqual([by, 'not_found']);
      expect((await show(demo.service, demo.tokens[login], id)).etag).toBe('1');
    });

    it('a reason is asked: without one, or an empty one, nothing changes', async () => {
      const { id } = await raise();
      kit.clock.advance(HOUR);
      for (const body of [
        {},
        { reason: '' },
        { reason: ' \n' },
        { reason: 7 },
        { reason: 'x', step: 0 },
      ])
        expect(codeOf(await escalate(login, id, body))).toBe('invalid_request');
      expect((await show(demo.service, demo.tokens[login], id)).etag).toBe('1');
    });

    it('not when its time is over, and not when it is resolved', async () => {
      const late = await raise();
      kit.clock.advance(8 * HOUR);
      expect((await escalate(login, late.id)).json().detail).toMatch(/time of this step is over/);
      const decided = await raise();
      must(await decide(demo.service, demo.tokens.dana, decided));
      kit.clock.advance(HOUR);
      expect(codeOf(await escalate(login, decided.id))).toBe('request_already_resolved');
    });

    it('the requester among those it is escalated to still does not count', async () => {
      await ask({ on_timeout: { escalate_to: ['group:linux-users'] }, escalate_after: '1h' });
      const { id } = await raise();
      kit.clock.advance(HOUR);
      const now = must(await escalate(login, id)) as AccessRequest;
      expect(codeOf(await decide(demo.service, demo.tokens[login], now))).toBe(
        'requester_cannot_decide',
      );
    });
  });

  describe('a step that names nobody to escalate to', () => {
    it('is not escalated, however long it waits', async () => {
      await ask({ on_timeout: 'expire' });
      const { id } = await raise();
      kit.clock.advance(HOUR);
      const said = await escalate(login, id);
      expect(said.json().detail).toBe('This step has nobody to escalate to.');
    });
  });

  describe('by time-out', () => {
    it('asks the others, then expires; time approves nothing', async () => {
      await ask({ timeout: '1h', on_timeout: { escalate_to: ['group:linux-approvers'] } });
      const { id } = await raise();
      await kit.transact((tx) => finishDue(tx, id));
      expect((await show(demo.service, demo.tokens[login], id)).etag).toBe('1');
      kit.clock.advance(HOUR);
      await kit.transact((tx) => finishDue(tx, id));
      await kit.transact((tx) => finishDue(tx, id));
      expect((await events(id)).filter((e) => e === 'access.request.escalate')).toHaveLength(1);
      expect(await told(id, 'request_escalated')).toEqual(['ana', 'bo', 'dana']);
      kit.clock.advance(HOUR);
      await kit.transact((tx) => finishDue(tx, id));
      expect((await show(demo.service, demo.tokens[login], id)).state).toBe('expired');
    });
  });
});
