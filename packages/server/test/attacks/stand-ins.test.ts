import type { Delegation } from '@postern/shared';
import { beforeAll, expect, it } from 'vitest';
import { createLinkFor } from '../../src/links/index.ts';
import { askOf, codeOf, decide, makeUser, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, PUBLIC_URL } from '../kit/service.ts';

const HOUR = 3_600;

onBoth('attacks through stand-ins', (kit) => {
  const demo = withDemo(kit);
  let n = 0;

  const call = (login: string, method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown) =>
    demo.service.call(demo.tokens[login], method, path, body);
  const at = (inSeconds: number) => new Date(kit.clock.now() + inSeconds * 1000).toISOString();
  const person = async (name: string, document: Record<string, unknown> = {}) => {
    const login = `${name}-${n++}`;
    const id = await makeUser(demo, login, { groups: ['everyone'], ...document });
    kit.clock.advance(1);
    return { login, id };
  };
  const asker = (manager = 'dana') =>
    person('asker', { manager, groups: ['everyone', 'linux-users'] });
  const standIn = async (by: string, to: string, more: Record<string, unknown> = {}) => {
    const wish = { to, ends_at: at(HOUR), ...more };
    const made = must(await call(by, 'POST', '/delegations', wish)) as unknown as Delegation;
    kit.clock.advance(1);
    return made;
  };

  beforeAll(() => askOf(demo, { any: 1, of: ['manager'] }));

  it('a service user arranges none for the person who owns it', async () => {
    const [boss, owner] = [await person('boss'), await person('owner')];
    const groups = ['everyone', 'security'];
    const bot = await person('bot', { type: 'service', owners: [owner.login], groups });
    const wish = { from: boss.login, to: owner.login, ends_at: at(HOUR) };
    const said = await call(bot.login, 'POST', '/delegations', wish);
    expect(said.json().errors).toEqual([
      expect.objectContaining({ pointer: '/to', code: 'arranged_by_stand_in' }),
    ]);
    const other = await person('other');
    must(await call(bot.login, 'POST', '/delegations', { ...wish, to: other.login }));
  });

  it('one that a service user of the requester arranged counts for nothing, also when he gave it away', async () => {
    const [boss, helper] = [await person('boss'), await person('helper')];
    const self = await asker(boss.login);
    const groups = ['everyone', 'security'];
    const bot = await person('bot', { type: 'service', owners: [self.login], groups });
    await standIn(bot.login, helper.login, { from: boss.login });
    const [{ id }] = must(await call('pat', 'GET', `/users?login=${bot.login}`)).list as [
      { id: string },
    ];
    await kit.db.sql
      .updateTable('service_user_owners')
      .set({ ended_at: kit.clock.now() })
      .where('service_user_id', '=', id)
      .execute();
    await makeUser(demo, bot.login, { type: 'service', owners: ['uma'], groups });
    kit.clock.advance(1);
    const request = await raisedBy(demo, self.login);
    const said = await decide(demo.service, demo.tokens[helper.login], request, {
      for_user_id: boss.id,
    });
    expect(codeOf(said)).toBe('not_an_approver');
  });

  it('ended: neither inbox, card, history, link nor decision is left', async () => {
    const [boss, helper] = [await person('boss'), await person('helper')];
    const { id: delegation } = await standIn(boss.login, helper.login);
    const self = await asker(boss.login);
    const request = await raisedBy(demo, self.login);
    const inbox = async () =>
      (
        must(await call(helper.login, 'GET', '/access_requests?view=to_decide')).list as {
          id: string;
        }[]
      ).map((r) => r.id);
    const link = await kit.transact((tx) => createLinkFor(PUBLIC_URL)(tx, request.id, helper.id));
    const page = () =>
      demo.service.app.inject({ method: 'GET', url: link!.slice(PUBLIC_URL.length) });
    expect(await inbox()).toEqual([request.id]);
    expect((await page()).body).toContain('Your decision');
    must(await call(boss.login, 'DELETE', `/delegations/${delegation}`));
    kit.clock.advance(1);
    expect(await inbox()).toEqual([]);
    expect((await page()).body).not.toContain(self.login);
    for (const path of ['', '/card', '/events'])
      expect(codeOf(await call(helper.login, 'GET', `/access_requests/${request.id}${path}`))).toBe(
        'not_found',
      );
  });

  it('who voted as one, and is one no more, reads what he decided and nothing of what goes on now', async () => {
    const [boss, helper] = [await person('boss'), await person('helper')];
    const { id: delegation } = await standIn(boss.login, helper.login);
    const self = await asker(boss.login);
    const request = await raisedBy(demo, self.login);
    const labels = async () =>
      (
        must(await call(helper.login, 'GET', `/access_requests/${request.id}/card`)).rows as {
          label: string;
        }[]
      ).map((row) => row.label);
    expect(await labels()).toContain('Sessions there now');
    must(await decide(demo.service, demo.tokens[helper.login], request, { for_user_id: boss.id }));
    must(await call(boss.login, 'DELETE', `/delegations/${delegation}`));
    kit.clock.advance(1);
    expect(await labels()).toContain('Decided so far');
    expect(await labels()).not.toContain('Sessions there now');
    expect(await labels()).not.toContain('Asked before');
  });

  it('times that nobody meant: refused, none suffered', async () => {
    const [boss, helper] = [await person('boss'), await person('helper')];
    const times = [
      '0000-01-01T00:00:00Z',
      '9999-12-31T23:59:59.999999999Z',
      '2026-03-02T24:00:01Z',
      '2026-03-02T09:00:60Z',
      '2026-03-02T09:00:00+99:99',
      '0001-01-01T00:00:00-23:59',
    ];
    for (const time of times)
      for (const more of [{ ends_at: time }, { starts_at: time, ends_at: at(HOUR) }])
        expect([
          more,
          codeOf(await call(boss.login, 'POST', '/delegations', { to: helper.login, ...more })),
        ]).toEqual([more, 'invalid_request']);
  });
});
