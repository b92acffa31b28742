import { plus, seconds } from '@postern/shared';
import type { LightMyRequestResponse } from 'fastify';
import { describe, expect, it } from 'vitest';
import { json } from '../../src/platform/columns.ts';
import { makeUser } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { ANYBODY, atTheEnd, GONE, TWO, withScene } from './scene.ts';
import { askInSteps, hiddenFields, traces } from './world.ts';

onBoth('attack 14: the link in a mail', (kit) => {
  const s = withScene(kit);
  const { demo } = s;
  const lastEvent = async (type: string) =>
    (
      await kit.db.sql
        .selectFrom('audit_events')
        .selectAll()
        .where('type', '=', type)
        .orderBy('id', 'desc')
        .execute()
    )[0];

  describe('following it', () => {
    it('shows the card and the form, with nothing chosen', async () => {
      const { statusCode, body } = await s.page.open(s.link);
      expect(statusCode).toBe(200);
      for (const text of [
        'Test asks',
        'pamadmin1',
        'rotate the logs',
        'Dana Reyes',
        'Still needed',
      ])
        expect(body).toContain(text);
      expect(body).not.toContain('checked');
      expect(Object.keys(hiddenFields(await s.page.open(s.link)))).toEqual(['etag', 'step']);
    });

    it('twice, with HEAD, many at once: decides nothing and uses nothing up', async () => {
      const all = await Promise.all([
        ...Array.from({ length: 4 }, () => s.page.open(s.link)),
        s.page.open(s.link, 'HEAD'),
        s.page.open(`${s.link}?decision=approve&access_token=${s.token('dana')}`),
      ]);
      expect(all.map((r) => r.statusCode)).toEqual(Array(6).fill(200));
      expect(all[4]!.body).toBe('');
      await s.nothing(await s.page.open(s.link), 200, 'Your decision');
    });

    it('with another method: there is nothing there', async () => {
      for (const method of ['PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const) {
        const response = await demo.service.app.inject({ method, url: s.link });
        expect(response.statusCode).toBe(404);
      }
    });
  });

  describe('a decision with it', () => {
    it('approves, once: the link and the person’s others are used up', async () => {
      const other = await s.linkFor('dana');
      const anas = await s.linkFor('ana');
      const response = await s.page.submit(s.link, s.token('dana'), { comment: 'go\r\nahead' });
      s.sent.push(response);
      expect([response.statusCode, response.body]).toEqual([
        200,
        expect.stringContaining('<h1>Approved</h1>'),
      ]);
      expect(await traces(kit, s.request.id)).toMatchObject({
        state: 'approved',
        decisions: 1,
        approvals: 1,
        used: 2,
      });
      const event = await lastEvent('access.request.decide');
      expect(event).toMatchObject({
        request_id: s.request.id,
        client_address: '127.0.0.1',
        actor: { id: demo.ids.users.dana },
        details: { decision: 'approve', comment: 'go\nahead', link_id: expect.any(String) },
      });
      s.before = await traces(kit, s.request.id);
      await s.nothing(await s.page.open(s.link), 404, GONE);
      await s.nothing(await s.page.open(other), 404, GONE);
      await s.nothing(await s.page.post(s.link, { access_token: s.token('dana')! }), 404, GONE);
      await s.nothing(await s.page.open(anas), 200, 'The request is approved');
      await s.nothing(await s.page.submit(anas, s.token('ana')), 409, 'The request is approved');
    });

    it('denies, with a comment only', async () => {
      const dana = s.token('dana');
      const silent = await s.page.submit(s.link, dana, { decision: 'deny', comment: '  ' });
      await s.nothing(silent, 400, 'why you deny');
      expect(silent.body).toContain('value="deny" required checked');
      const said = await s.page.submit(s.link, dana, { decision: 'deny', comment: 'not today' });
      expect(said.body).toContain('<h1>Denied</h1>');
      expect((await traces(kit, s.request.id)).state).toBe('denied');
    });

    it('several at once: one decision, one record', async () => {
      const other = await s.linkFor('dana');
      const fields = {
        ...hiddenFields(await s.page.open(s.link)),
        decision: 'approve',
        access_token: s.token('dana')!,
      };
      const all = await Promise.all(
        [s.link, s.link, other, s.link, other].map((url) => s.page.post(url, fields)),
      );
      s.sent.push(...all);
      const statuses = all.map((r) => r.statusCode).sort();
      expect(statuses[0]).toBe(200);
      for (const status of statuses.slice(1)) expect([404, 409]).toContain(status);
      expect(await traces(kit, s.request.id)).toMatchObject({
        decisions: 1,
        approvals: 1,
        history: 2,
        events: ['access.request.create', 'access.request.decide', 'access.request.resolve'],
      });
    });

    it('says whose decision is needed still, where one is not enough', async () => {
      await askInSteps(demo, kit, TWO);
      await s.raise();
      const said = await s.page.submit(s.link, s.token('dana'));
      expect(said.body).toMatch(
        /Your decision is recorded[\s\S]*The request waits for more: Step 0: /,
      );
      const again = await s.linkFor('dana');
      s.before = await traces(kit, s.request.id);
      await s.nothing(
        await s.page.submit(again, s.token('dana')),
        409,
        'decided this step already',
      );
      await askInSteps(demo, kit, ANYBODY);
    });
  });

  describe('without the login of the person it was made for', () => {
    const refused = async (response: LightMyRequestResponse, status: number, text: string) => {
      await s.nothing(response, status, text);
      expect(response.body).toContain('Your decision');
    };

    it('no token, a broken one, another kind of one: as the API, and on record', async () => {
      for (const bad of [undefined, '', 'x', `${s.token('dana')}x`, 'Bearer', s.link.slice(8)]) {
        const response = await s.page.submit(s.link, bad);
        await refused(response, 401, 'Not logged in');
        expect(response.headers['www-authenticate']).toBe('Bearer');
      }
      expect(await lastEvent('pam.login.fail')).toMatchObject({
        client_address: '127.0.0.1',
        targets: [{ type: 'operation', id: 'decideAccessRequest' }],
      });
    });

    it('a session of the API does not count: no header, no cookie', async () => {
      const fields = { ...hiddenFields(await s.page.open(s.link)), decision: 'approve' };
      const response = await s.page.send(s.link, new URLSearchParams(fields).toString(), {
        authorization: `Bearer ${s.token('dana')}`,
        cookie: `access_token=${s.token('dana')}`,
        origin: 'https://evil.example',
      });
      await refused(response, 401, 'Not logged in');
    });

    it('an expired and a revoked token', async () => {
      const made = async () =>
        must(
          await demo.service.call(demo.service.bootstrap, 'POST', '/tokens', {
            login: 'dana',
            name: 'short',
            expires_in_seconds: 60,
          }),
        ) as { token: string; id: string };
      const expired = (await made()).token;
      kit.clock.advance(61);
      await refused(await s.page.submit(s.link, expired), 401, 'Not logged in');
      const revoked = (await made()).token;
      await kit.db.sql
        .updateTable('tokens')
        .set({ revoked_at: kit.clock.now() })
        .where('name', '=', 'short')
        .execute();
      await refused(await s.page.submit(s.link, revoked), 401, 'Not logged in');
    });

    it('somebody else’s, though he is asked as well', async () => {
      await refused(await s.page.submit(s.link, s.token('ana')), 403, 'made for somebody else');
      expect(await lastEvent('pam.operation.refuse')).toMatchObject({
        actor: { id: demo.ids.users.ana },
        outcome: { reason: 'not_permitted' },
      });
    });

    it('the requester’s, on an approver’s link and on one of his own', async () => {
      await refused(
        await s.page.submit(s.link, s.token(s.who.login)),
        403,
        'You raised this request',
      );
      const own = await s.linkFor(s.who.id);
      await refused(await s.page.submit(own, s.token(s.who.login)), 403, 'You raised this request');
    });

    it('the right person’s, issued by the requester', async () => {
      await s.raise({ groups: ['owners'] });
      const made = await demo.service.call(s.token(s.who.login), 'POST', '/tokens', {
        login: 'dana',
        name: 'his',
        expires_in_seconds: 3600,
      });
      s.before = await traces(kit, s.request.id);
      const response = await s.page.submit(s.link, must(made).token as string);
      await refused(response, 403, 'Whoever issued this token');
    });

    it('a person who is not asked: his link shows nothing of the request', async () => {
      const own = await s.linkFor('ellis');
      const response = await s.page.open(own);
      await s.nothing(response, 200, 'no longer, for the person');
      expect(response.body).not.toContain('rotate the logs');
      await s.nothing(await s.page.submit(own, s.token('ellis')), 409, 'no longer, for the person');
    });

    it('a stand-in, for whom he stands in: he is told the command, and decides nothing here', async () => {
      const id = await makeUser(demo, 'standin');
      kit.clock.advance(1);
      await s.raise();
      await kit.transact((tx) =>
        tx.sql
          .insertInto('delegations')
          .values({
            id: tx.ids.uuid(),
            from_user_id: demo.ids.users.dana!,
            to_user_id: id,
            made_by: json([demo.ids.users.dana]),
            starts_at: tx.now,
            ends_at: plus(tx.now, seconds(3600)),
            created_at: tx.now,
          })
          .execute(),
      );
      const own = await s.linkFor(id);
      const text = `sft-admin approve ${s.request.id} --for LOGIN`;
      await refused(await s.page.submit(own, s.token('standin')), 403, text);
      await refused(await s.page.submit(s.link, s.token('standin')), 403, 'made for somebody else');
    });

    it('the approver is disabled: told so, and his token is nothing', async () => {
      const id = await makeUser(demo, 'leaver', { groups: ['linux-approvers'] });
      kit.clock.advance(1);
      await s.raise();
      const own = await s.linkFor(id);
      const fields = hiddenFields(await s.page.open(own));
      must(
        await demo.service.call(s.token('pat'), 'PATCH', `/users/${id}`, { status: 'DISABLED' }),
      );
      await s.nothing(await s.page.open(own), 200, 'is not active');
      const body = { ...fields, decision: 'approve', access_token: s.token('leaver')! };
      await s.nothing(await s.page.post(own, body), 409, 'is not active');
    });
  });

  atTheEnd(kit, s);
});
