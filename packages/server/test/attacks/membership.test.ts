import { describe, expect, it } from 'vitest';
import { apply, codeOf, makeUser, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { connect } from '../scim/world.ts';
import { memberships } from './membership.ts';

const DAY = 86_400;

onBoth('membership by request: who decides, and what stays', (kit) => {
  const demo = withDemo(kit);
  const world = memberships(kit, demo);
  const { me, group, call, type, raise, raised, approve, granted, groupsOf, rows, stateOf } = world;

  describe('who approves', () => {
    const stays = async (id: string) => {
      expect(await stateOf(id)).toMatchObject({ state: 'pending' });
      expect(await rows()).toEqual([]);
    };
    const admin = () => world.newUser({ groups: ['everyone', 'owners'] });

    it('deny: an owner whom the requester made after raising', async () => {
      const boss = await admin();
      const friend = await world.newUser();
      world.nextMoment();
      const request = await raised(await type(), undefined, boss.login);
      for (const later of [0, 600]) {
        kit.clock.advance(later);
        await apply(demo, boss.login, [
          { kind: 'Group', name: group.name, owners: ['dana', friend.login] },
        ]);
        expect(codeOf(await approve(request, friend.login))).toBe('not_found');
      }
      await stays(request.id);
    });

    it('deny: an owner of every group but one, and one whom the requester gave the last one', async () => {
      const boss = await admin();
      const friend = await world.newUser();
      const other = await world.newGroup({ owners: ['dana', friend.login] });
      world.nextMoment();
      const id = await type([group.name, other.name]);
      const request = await raised(id, undefined, boss.login);
      expect(codeOf(await approve(request, friend.login))).toBe('not_found');
      kit.clock.advance(60);
      await apply(demo, boss.login, [
        { kind: 'Group', name: group.name, owners: ['dana', friend.login] },
      ]);
      expect(codeOf(await approve(request, friend.login))).toBe('not_found');
      await stays(request.id);
    });

    it('deny: the owner is himself, his service user, or his stand-in', async () => {
      const bot = world.fresh('bot');
      await makeUser(demo, bot, { type: 'service', owners: [me.login], groups: ['everyone'] });
      const mine = await world.newGroup({ owners: [me.login, bot] });
      world.nextMoment();
      const id = await type([mine.name]);
      expect(codeOf(await raise(id))).toBe('no_eligible_approver');
      await apply(demo, 'pat', [
        { kind: 'Group', name: mine.name, owners: [me.login, bot, 'dana'] },
      ]);
      world.nextMoment();
      const request = await raised(id);
      for (const who of [me.login, bot])
        expect((await approve(request, who)).statusCode).toBeGreaterThanOrEqual(400);
      await kit.transact((tx) =>
        tx.sql
          .insertInto('delegations')
          .values({
            id: tx.ids.uuid(),
            from_user_id: me.id,
            to_user_id: demo.ids.users.bo!,
            starts_at: tx.now,
            ends_at: (tx.now + 3_600_000) as typeof tx.now,
            made_by: JSON.stringify([me.id]) as never,
            created_at: tx.now,
          } as never)
          .execute(),
      );
      const stood = await approve(request, 'bo', { for_user_id: me.id });
      expect(stood.statusCode).toBeGreaterThanOrEqual(400);
      await stays(request.id);
    });

    it('deny: the owner’s token, issued by the requester', async () => {
      const boss = await admin();
      const id = await type();
      const request = await raised(id, undefined, boss.login);
      demo.tokens.issued = must(
        await call(boss.login, 'POST', '/tokens', {
          ...{ login: 'dana', name: 'x', expires_in_seconds: 3600 },
        }),
      ).token as string;
      expect(codeOf(await approve(request, 'issued'))).toBe('requester_cannot_decide');
      await stays(request.id);
    });

    it('deny: B, whom A approved into the approvers after A asked; allow: who was there before', async () => {
      const approvers = await world.newGroup({ owners: ['dana', me.login] });
      await call('pat', 'PUT', `/groups/${approvers.id}/users/${demo.ids.users.uma}`);
      const steps = [
        { name: 'A', needs: { all: [{ any: 1, of: [`group:${approvers.name}`] }] } },
        { name: 'B', needs: { any: 1, of: ['user:dana'] } },
      ];
      const target = await type([group.name], { steps });
      const intoApprovers = await type([approvers.name], {
        grants_role: true,
        steps: [{ name: 'Two', needs: { any: 2, of: ['group_owner'] } }],
      });
      const friend = await world.newUser();
      world.nextMoment();
      const mine = await raised(target);
      kit.clock.advance(60);
      const theirs = await raised(intoApprovers, undefined, friend.login);
      must(await approve(theirs, me.login));
      const again = must(await call('dana', 'GET', `/access_requests/${theirs.id}`));
      must(await approve(again as never, 'dana'));
      expect(await groupsOf(friend.login)).toContain(approvers.name);
      expect(codeOf(await approve(mine, friend.login))).toBe('not_found');
      await stays(mine.id);
      expect(codeOf(await approve(mine, 'uma'))).toBe('200');
    });
  });

  describe('a privileged group', () => {
    it('deny: a role for a group whose member came by one person’s word', async () => {
      const id = await type([group.name], { grants_role: true });
      await granted(id);
      const role = await call('pat', 'PUT', `/groups/${group.id}/roles`, { roles: ['auditor'] });
      expect(codeOf(role)).toBe('state_conflict');
      expect(must(await call(me.login, 'GET', '/whoami')).roles).not.toContain('auditor');
    });

    it('allow: a role for a group whose member came by two', async () => {
      await apply(demo, 'pat', [{ kind: 'Group', name: group.name, owners: ['dana', 'bo'] }]);
      world.nextMoment();
      const id = await type([group.name], {
        grants_role: true,
        steps: [{ name: 'Two', needs: { any: 2, of: ['group_owner'] } }],
      });
      const request = await raised(id);
      const first = must(await approve(request)) as never;
      must(await approve(first, 'bo'));
      must(await call('pat', 'PUT', `/groups/${group.id}/roles`, { roles: ['auditor'] }));
      expect(must(await call(me.login, 'GET', '/whoami')).roles).toContain('auditor');
      kit.clock.advance(DAY);
      expect(must(await call(me.login, 'GET', '/whoami')).roles).not.toContain('auditor');
    });
  });

  describe('more than one grant of the same', () => {
    it('revoking the first leaves the second, and the other way round', async () => {
      const id = await type();
      for (const ended of [0, 1]) {
        const one = await granted(id, { until: '1d' });
        const two = await granted(id, { until: '5d' });
        const both = [one, two];
        must(await call('dana', 'POST', `/access_requests/${both[ended]!.id}/revoke`, {}));
        const left = both[1 - ended]!;
        expect((await rows()).map((row) => row.request_id)).toEqual([left.id]);
        expect(await groupsOf()).toContain(group.name);
        must(await call(me.login, 'POST', `/access_requests/${left.id}/drop`));
        expect(await rows()).toEqual([]);
        expect(await groupsOf()).not.toContain(group.name);
      }
    });

    it('a standing membership is no way round the end of a request, nor the other way round', async () => {
      const id = await type();
      const request = await granted(id);
      must(await call('pat', 'PUT', `/groups/${group.id}/users/${me.id}`));
      must(await call('dana', 'POST', `/access_requests/${request.id}/revoke`, {}));
      expect((await rows()).map((row) => row.source)).toEqual(['direct']);
    });

    it('an administrator takes all away; each request ends as removed, once', async () => {
      const id = await type();
      const one = await granted(id, { until: '1d' });
      const two = await granted(id, { until: '5d' });
      must(await call('pat', 'DELETE', `/groups/${group.id}/users/${me.id}`));
      expect(await groupsOf()).not.toContain(group.name);
      for (const { id: each } of [one, two, two]) {
        await world.finish(each);
        expect(await stateOf(each)).toEqual({ state: 'ended', end_reason: 'removed' });
        expect(await world.events(each)).toEqual([
          'access.request.activate',
          'access.request.create',
          'access.request.decide',
          'access.request.end',
          'access.request.resolve',
          'group.user_membership.add',
          'group.user_membership.remove',
        ]);
      }
    });

    it('deny: whatever is sent to a request that is over brings nothing back', async () => {
      const request = await granted(await type());
      must(await call(me.login, 'POST', `/access_requests/${request.id}/drop`));
      const before = await world.events(request.id);
      const ended = must(await call(me.login, 'GET', `/access_requests/${request.id}`)) as never;
      for (const [act, body] of [
        ['drop', undefined],
        ['cancel', undefined],
        ['escalate', { reason: 'x' }],
      ] as const) {
        const sent = await call(me.login, 'POST', `/access_requests/${request.id}/${act}`, body);
        expect([act, sent.statusCode]).toEqual([act, 409]);
      }
      expect(
        (await call('dana', 'POST', `/access_requests/${request.id}/revoke`, {})).statusCode,
      ).toBe(409);
      expect((await approve(ended)).statusCode).toBe(409);
      expect((await approve(ended, 'dana', { decision: 'deny' })).statusCode).toBe(409);
      await world.finish(request.id);
      expect(await world.events(request.id)).toEqual(before);
      expect(await rows()).toEqual([]);
    });
  });

  describe('a user who is disabled, and back', () => {
    const status = (id: string, to: string) => call('pat', 'PATCH', `/users/${id}`, { status: to });
    const newToken = async () => {
      const made = await demo.service.call(demo.service.bootstrap, 'POST', '/tokens', {
        ...{ login: me.login, name: 'again', expires_in_seconds: 3600 },
      });
      demo.tokens[me.login] = must(made).token as string;
    };

    it('comes back into nothing that a request gave, and into nothing that he had asked for', async () => {
      const id = await type();
      const had = await granted(id);
      const wanted = await raised(id);
      must(await status(me.id, 'DISABLED'));
      must(await status(me.id, 'ACTIVE'));
      await newToken();
      expect(await groupsOf()).not.toContain(group.name);
      expect(await stateOf(had.id)).toMatchObject({ state: 'ended' });
      expect(await stateOf(wanted.id)).toMatchObject({ state: 'canceled' });
      expect((await approve(wanted)).statusCode).toBe(409);
      for (const each of [had, wanted]) await world.finish(each.id);
      expect(await rows()).toEqual([]);
    });

    it('the same through SCIM, and the member of a pushed group', async () => {
      const idp = await connect(demo, world.fresh('idp'));
      const login = world.fresh('pushed');
      const id = await idp.user(login, { displayName: login });
      const made = await demo.service.call(demo.service.bootstrap, 'POST', '/tokens', {
        ...{ login, name: 'x', expires_in_seconds: 3600 },
      });
      demo.tokens[login] = must(made).token as string;
      const request = await granted(await type(), undefined, login);
      const active = (value: boolean) =>
        idp.patch(`/Users/${id}`, [{ op: 'replace', path: 'active', value }]);
      expect((await active(false)).status).toBeLessThan(300);
      expect(await stateOf(request.id)).toMatchObject({ state: 'ended' });
      expect((await active(true)).status).toBeLessThan(300);
      expect(await rows(id)).toEqual([]);
      expect((await call(login, 'GET', '/whoami')).statusCode).toBe(401);
    });
  });
});
