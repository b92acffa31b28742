import { beforeAll, describe, expect, it } from 'vitest';
import {
  apply,
  askOf,
  codeOf,
  type Demo,
  decide,
  makeUser,
  REQUEST_TYPE,
  raisedBy,
  show,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';

const tokenFor = async (demo: Demo, by: string, login?: string) => {
  const made = await demo.service.call(demo.tokens[by], 'POST', '/tokens', {
    ...(login === undefined ? {} : { login }),
    name: 'made',
    expires_in_seconds: 3600,
  });
  return made;
};

onBoth('attack 1: the requester decides', (kit) => {
  const demo = withDemo(kit);
  const as = (login: string) => demo.tokens[login];
  const call = (...args: Parameters<Demo['service']['call']>) => demo.service.call(...args);
  let n = 0;
  /** Somebody new who may ask for access, so that no test meets another's requests. */
  const requester = async (document: Record<string, unknown> = {}) => {
    const login = `req${n++}`;
    const { groups = [], ...rest } = document as { groups?: string[] };
    const id = await makeUser(demo, login, {
      manager: 'dana',
      groups: ['linux-users', ...groups],
      ...rest,
    });
    kit.clock.advance(1);
    return { login, id };
  };
  const stays = async (id: string) => {
    expect((await show(demo.service, as('uma'), id)).state).toBe('pending');
  };

  describe('himself', () => {
    beforeAll(() => askOf(demo, { any: 1, of: ['manager', 'group:linux-approvers'] }));

    it('deny: directly, whether he says yes or no', async () => {
      const { login } = await requester();
      const request = await raisedBy(demo, login);
      expect(codeOf(await decide(demo.service, as(login), request))).toBe(
        'requester_cannot_decide',
      );
      const no = await decide(demo.service, as(login), request, { decision: 'deny' });
      expect(codeOf(no)).toBe('requester_cannot_decide');
      await stays(request.id);
    });

    it('deny: as holder of every role', async () => {
      const { login } = await requester({ groups: ['owners', 'security', 'audit'] });
      const request = await raisedBy(demo, login);
      expect(codeOf(await decide(demo.service, as(login), request))).toBe(
        'requester_cannot_decide',
      );
      await stays(request.id);
    });

    it('deny: as a member of the approving group', async () => {
      const { login } = await requester({ groups: ['linux-approvers'] });
      const request = await raisedBy(demo, login);
      expect(codeOf(await decide(demo.service, as(login), request))).toBe(
        'requester_cannot_decide',
      );
      await stays(request.id);
    });

    it('deny: as stand-in of the approver', async () => {
      const { login, id } = await requester();
      const request = await raisedBy(demo, login);
      await standIn(demo.ids.users.dana!, id, [demo.ids.users.dana!]);
      const tried = await decide(demo.service, as(login), request, {
        for_user_id: demo.ids.users.dana,
      });
      expect(codeOf(tried)).toBe('requester_cannot_decide');
      await stays(request.id);
    });

    it('deny: a stand-in for the requester', async () => {
      const { login, id } = await requester({ groups: ['linux-approvers'] });
      const request = await raisedBy(demo, login);
      await standIn(id, demo.ids.users.bo!, [id]);
      const tried = await decide(demo.service, as('bo'), request, { for_user_id: id });
      expect(codeOf(tried)).toBe('requester_cannot_decide');
      await stays(request.id);
    });
  });

  it('deny: raising is refused where the requester is the only approver', async () => {
    await apply(demo, 'pat', [{ kind: 'Group', name: 'solo' }]);
    const { login } = await requester({ groups: ['solo'] });
    await askOf(demo, { any: 1, of: ['group:solo'] });
    await expect(raisedBy(demo, login)).rejects.toThrow('no_eligible_approver');
  });

  describe('through tokens', () => {
    beforeAll(() => askOf(demo, { any: 1, of: ['manager', 'group:linux-approvers'] }));

    it('deny: with a token that he issued for the approver', async () => {
      const { login } = await requester({ groups: ['owners'] });
      const request = await raisedBy(demo, login);
      const dana = must(await tokenFor(demo, login, 'dana')).token as string;
      expect(codeOf(await decide(demo.service, dana, request))).toBe('requester_cannot_decide');
      demo.tokens.stolen = dana;
      const again = must(await tokenFor(demo, 'stolen')).token as string;
      expect(codeOf(await decide(demo.service, again, request))).toBe('requester_cannot_decide');
      expect(codeOf(await tokenFor(demo, 'stolen', 'bo'))).toBe('not_permitted');
      await stays(request.id);
    });

    it('deny: the approver issued the token that the request was raised with', async () => {
      const { login: boss } = await requester({ groups: ['owners'] });
      const { login } = await requester({ manager: boss });
      demo.tokens.borrowed = must(await tokenFor(demo, boss, login)).token as string;
      const request = await raisedBy(demo, 'borrowed');
      expect(codeOf(await decide(demo.service, as(boss), request))).toBe('not_found');
      await stays(request.id);
    });
  });

  describe('through a service user', () => {
    it('deny: one that he owns, now or when he raised', async () => {
      const { login } = await requester();
      const bot = `bot-${login}`;
      await makeUser(demo, bot, { type: 'service', owners: [login], groups: ['everyone'] });
      await askOf(demo, { any: 1, of: ['manager', `user:${bot}`] });
      const request = await raisedBy(demo, login);
      expect(codeOf(await decide(demo.service, as(bot), request))).toBe('not_found');
      kit.clock.advance(60);
      await apply(demo, 'pat', [
        { kind: 'User', login: bot, name: 'Bot', type: 'service', owners: ['bo'] },
      ]);
      expect(codeOf(await decide(demo.service, as(bot), request))).toBe('not_found');
      await stays(request.id);
    });

    it('deny: the owner of the service user that raised', async () => {
      const { login: owner } = await requester({ groups: ['linux-approvers'] });
      const bot = `bot-${owner}`;
      await makeUser(demo, bot, {
        type: 'service',
        owners: [owner],
        groups: ['everyone', 'linux-users'],
      });
      await askOf(demo, { any: 1, of: ['group:linux-approvers'] });
      kit.clock.advance(1);
      const request = await raisedBy(demo, bot);
      expect(codeOf(await decide(demo.service, as(owner), request))).toBe('not_found');
      await stays(request.id);
    });
  });

  // To whoever is no approver but by the requester's doing, the request does not exist.
  describe('through what he changes after raising', () => {
    beforeAll(() => askOf(demo, { any: 1, of: ['manager', 'group:linux-approvers'] }));

    it('deny: himself added to the approving group', async () => {
      const { login, id } = await requester({ groups: ['owners'] });
      const request = await raisedBy(demo, login);
      must(
        await call(as(login), 'PUT', `/groups/${demo.ids.groups['linux-approvers']}/users/${id}`),
      );
      expect(codeOf(await decide(demo.service, as(login), request))).toBe(
        'requester_cannot_decide',
      );
      await stays(request.id);
    });

    it.each([0, 600])('deny: a friend added to the approving group %i s later', async (later) => {
      const { login } = await requester({ groups: ['owners'] });
      const { login: friend, id } = await requester();
      const request = await raisedBy(demo, login);
      kit.clock.advance(later);
      must(
        await call(as(login), 'PUT', `/groups/${demo.ids.groups['linux-approvers']}/users/${id}`),
      );
      expect(codeOf(await decide(demo.service, as(friend), request))).toBe('not_found');
      await stays(request.id);
    });

    it('deny: a friend added through a token that he issued for another admin', async () => {
      const { login } = await requester({ groups: ['owners'] });
      const { login: friend, id } = await requester();
      const request = await raisedBy(demo, login);
      kit.clock.advance(60);
      const pat = must(await tokenFor(demo, login, 'pat')).token as string;
      must(await call(pat, 'PUT', `/groups/${demo.ids.groups['linux-approvers']}/users/${id}`));
      expect(codeOf(await decide(demo.service, as(friend), request))).toBe('not_found');
      await stays(request.id);
    });

    it('allow: a friend whom somebody else added', async () => {
      const { login } = await requester();
      const { login: friend, id } = await requester();
      const request = await raisedBy(demo, login);
      kit.clock.advance(60);
      must(
        await call(as('pat'), 'PUT', `/groups/${demo.ids.groups['linux-approvers']}/users/${id}`),
      );
      expect(codeOf(await decide(demo.service, as(friend), request))).toBe('200');
    });

    it('deny: a new manager whom he chose', async () => {
      const { login, id } = await requester({ groups: ['owners'] });
      const { login: friend, id: manager_id } = await requester();
      const request = await raisedBy(demo, login);
      kit.clock.advance(60);
      must(await call(as(login), 'PATCH', `/users/${id}`, { manager_id }));
      expect(codeOf(await decide(demo.service, as(friend), request))).toBe('not_found');
      await stays(request.id);
    });

    it('deny: whoever a newer version of the request type asks', async () => {
      const { login } = await requester({ groups: ['security'] });
      const { login: friend } = await requester();
      const request = await raisedBy(demo, login);
      kit.clock.advance(60);
      const steps = [{ name: 'Friend', needs: { any: 1, of: [`user:${friend}`] } }];
      await apply(demo, login, [{ ...REQUEST_TYPE, steps }]);
      expect(codeOf(await decide(demo.service, as(friend), request))).toBe('not_found');
      await stays(request.id);
      await askOf(demo, { any: 1, of: ['manager', 'group:linux-approvers'] });
    });

    it('deny: a stand-in that he arranged; allow: one that an admin arranged', async () => {
      const { login, id } = await requester();
      const { login: friend, id: friendId } = await requester();
      const request = await raisedBy(demo, login);
      kit.clock.advance(60);
      const { dana, pat } = demo.ids.users;
      await standIn(dana!, friendId, [id]);
      const body = { for_user_id: dana };
      const first = await decide(demo.service, as(friend), request, body);
      expect(codeOf(first)).toBe('not_an_approver');
      await stays(request.id);
      await standIn(dana!, friendId, [pat!]);
      const second = await decide(demo.service, as(friend), request, body);
      expect(codeOf(second)).toBe('200');
      expect(second.json().decisions[0]).toMatchObject({
        by: { id: friendId },
        for: { id: dana },
      });
    });
  });

  const standIn = (from: string, to: string, made_by: string[]) =>
    kit.transact((tx) =>
      tx.sql
        .insertInto('delegations')
        .values({
          id: tx.ids.uuid(),
          from_user_id: from,
          to_user_id: to,
          made_by: JSON.stringify(made_by) as never,
          starts_at: tx.now,
          ends_at: (tx.now + 3_600_000) as never,
          created_at: tx.now,
        })
        .execute(),
    );
});
