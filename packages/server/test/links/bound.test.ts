import { describe, expect, it } from 'vitest';
import { Refusal } from '../../src/platform/errors.ts';
import { decide } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { ANYBODY, atTheEnd, GONE, TWO, withScene } from './scene.ts';
import { askInSteps, FORM, hiddenFields, traces } from './world.ts';

onBoth('attack 14: what a link is bound to', (kit) => {
  const s = withScene(kit);
  const { demo } = s;

  describe('what it is bound to', () => {
    it('a link that was changed, cut, made up, expired or used: one and the same page', async () => {
      const used = await s.linkFor('dana');
      await kit.db.sql
        .updateTable('decision_links')
        .set({ used_at: kit.clock.now() })
        .where('request_id', '=', s.request.id)
        .execute();
      const expired = await s.linkFor('dana');
      kit.clock.advance(1);
      await kit.db.sql
        .updateTable('decision_links')
        .set({ expires_at: kit.clock.now() })
        .where('used_at', 'is', null)
        .where('request_id', '=', s.request.id)
        .execute();
      s.before = await traces(kit, s.request.id);
      const wrong = [
        used,
        expired,
        `/decide/${'A'.repeat(43)}`,
        '/decide/x',
        '/decide/%27%20or%20true',
        expired.slice(0, -1),
        `${expired}A`,
        `/decide/${expired.slice(8).toUpperCase()}`,
      ];
      const answers = new Set<string>();
      for (const url of wrong)
        for (const response of [
          await s.page.open(url),
          await s.page.post(url, { decision: 'approve', access_token: s.token('dana')! }),
          await s.page.post(url, { decision: 'deny' }),
        ]) {
          await s.nothing(response, 404, GONE);
          const { 'x-trace-id': _, date: __, ...headers } = response.headers;
          answers.add(JSON.stringify([response.body, headers]));
        }
      expect(answers.size).toBe(1);
      expect([...answers][0]).not.toContain(s.request.id);
    });

    it('its step: a link of one step decides nothing in the next', async () => {
      await askInSteps(demo, kit, { any: 1, of: ['manager'] }, ANYBODY);
      await s.raise();
      const anas = await s.linkFor('ana');
      const open = hiddenFields(await s.page.open(s.link));
      const ahead = { ...open, step: '1', decision: 'approve', access_token: s.token('dana')! };
      await s.nothing(await s.page.post(s.link, ahead), 409, 'made for another step');
      const late = await s.linkFor('dana');
      must(await decide(demo.service, s.token('dana'), s.request));
      s.before = await traces(kit, s.request.id);
      for (const url of [late, anas]) {
        const by = url === anas ? s.token('ana')! : s.token('dana')!;
        await s.nothing(await s.page.open(url), 200, 'another one is being decided now');
        for (const step of ['0', '1']) {
          const fields = {
            etag: String(s.before.seq),
            step,
            decision: 'approve',
            access_token: by,
          };
          await s.nothing(await s.page.post(url, fields), 409, 'another one is being decided now');
        }
      }
      await askInSteps(demo, kit, ANYBODY);
    });

    it('its request: the ETag of another one, or of an earlier state, is refused', async () => {
      await askInSteps(demo, kit, TWO);
      await s.raise();
      const stale = hiddenFields(await s.page.open(s.link));
      must(await decide(demo.service, s.token('ana'), s.request));
      s.before = await traces(kit, s.request.id);
      const fields = { ...stale, decision: 'approve', access_token: s.token('dana')! };
      const response = await s.page.post(s.link, fields);
      await s.nothing(response, 412, 'has changed since you read it');
      expect(response.body).toContain('approved by Ana');
      expect(hiddenFields(response).etag).toBe(String(s.before.seq));
      expect(response.body).toContain('value="approve" required checked');
      for (const etag of ['', '*', '"1"', 'x', '99', '1 ']) {
        const answer = await s.page.post(s.link, { ...fields, etag });
        expect([400, 412]).toContain(answer.statusCode);
      }
      expect(await traces(kit, s.request.id)).toEqual(s.before);
      await askInSteps(demo, kit, ANYBODY);
    });

    it('a clock that cannot be trusted approves nothing', async () => {
      demo.service.clock.refusal = new Refusal('clock_unsafe', 'The clock is wrong.');
      await s.nothing(await s.page.submit(s.link, s.token('dana')), 503, 'The clock is wrong.');
      demo.service.clock.refusal = undefined;
    });
  });

  describe('what is sent to it', () => {
    const send = (payload: string, headers?: Record<string, string>) =>
      s.page.send(s.link, payload, headers);
    const good = async () =>
      new URLSearchParams({
        ...hiddenFields(await s.page.open(s.link)),
        decision: 'approve',
        access_token: s.token('dana')!,
      }).toString();

    it('a form that is not its own: refused whole', async () => {
      const form = await good();
      const broken = [
        `${form}&for_user_id=${demo.ids.users.ana}`,
        `${form}&decision=approve`,
        `${form}&Decision=deny`,
        `${form}&__proto__=x`,
        `${form}&constructor=x`,
        `${form}&`,
        `${form}&comment`,
        `${form}&comment=%zz`,
        `${form}&comment=%ff`,
        `${form}&comment=%ed%a0%80`,
        `${form}&comment=%00`,
        `&${form}`,
        form.replace('decision', 'decision%5B%5D'),
      ];
      for (const body of broken) await s.nothing(await send(body), 400, 'not valid');
      for (const body of ['', form.replace('approve', 'maybe'), form.replace('approve', 'APPROVE')])
        await s.nothing(await send(body), 400, 'Choose to approve or to deny');
      await s.nothing(await send(`${form}&comment=${'a'.repeat(2001)}`), 400, 'too long');
    });

    it('too much, or of another type: refused unread', async () => {
      const form = await good();
      await s.nothing(await send(`${form}&comment=${'a'.repeat(16 * 1024)}`), 413, 'too large');
      const json = JSON.stringify(Object.fromEntries(new URLSearchParams(form)));
      for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'x'])
        await s.nothing(await send(json, { 'content-type': type }), 415, 'its own form only');
      const bare = await demo.service.app.inject({ method: 'POST', url: s.link });
      await s.nothing(bare, 400, 'Choose to approve');
      expect((await s.page.open(s.link)).statusCode).toBe(200);
    });

    it('tokens, tried one after the other: so many are on record, the others are counted', async () => {
      const fields = { ...hiddenFields(await s.page.open(s.link)), decision: 'approve' };
      for (let i = 0; i < 65; i++) {
        const { statusCode } = await s.page.post(s.link, { ...fields, access_token: `tried ${i}` });
        expect(statusCode).toBe(401);
      }
      const failed = await kit.db.sql
        .selectFrom('audit_events')
        .select('id')
        .where('type', '=', 'pam.login.fail')
        .execute();
      expect(failed).toHaveLength(60);
      expect(await traces(kit, s.request.id)).toEqual(s.before);
    });

    it('the API still takes no form', async () => {
      const path = `/access_requests/${s.request.id}/decisions`;
      const response = await demo.service.app.inject({
        method: 'POST',
        url: `/v1/teams/demo${path}`,
        payload: await good(),
        headers: { 'content-type': FORM, authorization: `Bearer ${s.token('dana')}` },
      });
      expect(response.statusCode).toBe(415);
    });
  });

  atTheEnd(kit, s);
});
