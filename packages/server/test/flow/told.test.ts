import type { AccessRequest } from '@postern/shared';
import { beforeAll, describe, expect, it } from 'vitest';
import { finishDue } from '../../src/requests/service-end.ts';
import { askOf, decide, makeUser, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

onBoth('what a requester is told', (kit) => {
  const demo = withDemo(kit);
  let n = 0;
  let login: string;

  beforeAll(() => askOf(demo, { any: 1, of: ['manager'] }, { timeout: '1h' }));

  const raise = async (): Promise<AccessRequest> => {
    login = `asker-${n++}`;
    const groups = ['everyone', 'linux-users'];
    await makeUser(demo, login, { manager: 'dana', groups, email: `${login}@example.test` });
    kit.clock.advance(1);
    return raisedBy(demo, login);
  };
  const approved = async () => {
    const request = await raise();
    return must(await decide(demo.service, demo.tokens.dana, request)) as AccessRequest;
  };
  const post = async (by: string, path: string, body?: unknown) =>
    must(await demo.service.call(demo.tokens[by], 'POST', path, body));
  const told = async ({ id }: AccessRequest): Promise<string[]> => {
    const rows = await kit.db.sql
      .selectFrom('messages as m')
      .innerJoin('users as u', 'u.id', 'm.to_user_id')
      .select(['m.kind', 'm.body'])
      .where('m.request_id', '=', id)
      .where('u.login', '=', login)
      .orderBy('m.id')
      .execute();
    return rows.map(({ kind, body }) => [kind, (body as { by?: string }).by ?? '-'].join(' by '));
  };

  describe('of a pending request', () => {
    it('approved', async () => {
      expect(await told(await approved())).toEqual(['request_approved by -']);
    });

    it('denied, and by whom', async () => {
      const request = await raise();
      must(
        await decide(demo.service, demo.tokens.dana, request, { decision: 'deny', comment: 'no' }),
      );
      expect(await told(request)).toEqual(['request_denied by Dana Reyes']);
    });

    it('run out', async () => {
      const request = await raise();
      kit.clock.advance(3_600);
      await kit.transact((tx) => finishDue(tx, request.id));
      expect(await told(request)).toEqual(['request_expired by -']);
    });

    it('canceled because the server became another one; by himself he knows', async () => {
      const own = await raise();
      await post(login, `/access_requests/${own.id}/cancel`);
      expect(await told(own)).toEqual([]);
      const request = await raise();
      must(
        await demo.service.call(demo.tokens.sam, 'PATCH', `/inventory/servers/${demo.ids.server}`, {
          access_port: 2300 + n,
        }),
      );
      expect(await told(request)).toEqual(['request_canceled by -']);
    });
  });

  describe('of a grant', () => {
    it('revoked, and by whom', async () => {
      const request = await approved();
      await post('dana', `/access_requests/${request.id}/revoke`, { reason: 'enough' });
      expect(await told(request)).toEqual([
        'request_approved by -',
        'access_revoked by Dana Reyes',
      ]);
    });

    it('over; given up by himself he knows', async () => {
      const dropped = await approved();
      await post(login, `/access_requests/${dropped.id}/drop`);
      expect(await told(dropped)).toEqual(['request_approved by -']);
      const request = await approved();
      kit.clock.advance(1_800);
      await kit.transact((tx) => finishDue(tx, request.id));
      expect(await told(request)).toEqual(['request_approved by -', 'access_ended by postern']);
    });
  });
});
