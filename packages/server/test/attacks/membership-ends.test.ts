import { describe, expect, it } from 'vitest';
import { apply, codeOf, methodFor, methodsOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { openAs, signIn } from '../kit/sessions.ts';
import { reviewsOnSignals } from '../kit/still.ts';
import { connect } from '../scim/world.ts';
import { memberships } from './membership.ts';

const DAY = 86_400;

onBoth('membership by request: groups that change, sessions, and who sees it', (kit) => {
  const demo = withDemo(kit);
  const world = memberships(kit, demo);
  const { me, group, call, type, raise, raised, approve, granted, groupsOf, rows, stateOf } = world;

  describe('a group that is pushed', () => {
    async function pushed() {
      const idp = await connect(demo, world.fresh('idp'));
      const name = world.fresh('pushed');
      const id = await idp.group(name);
      await apply(demo, 'pat', [{ kind: 'Group', name, owners: ['dana'] }]).catch(async () =>
        must(await call('pat', 'PUT', `/groups/${id}/owners`, { owners: [demo.ids.users.dana] })),
      );
      world.nextMoment();
      return { idp, id, name };
    }

    it('gone after it was asked for: nobody is put into it, and nobody can ask any more', async () => {
      const { idp, id, name } = await pushed();
      const typeId = await type([name]);
      const request = await raised(typeId);
      expect((await idp.call('DELETE', `/Groups/${id}`)).status).toBe(204);
      const outcome = must(await approve(request));
      expect(outcome).toMatchObject({ state: 'failed' });
      expect(await rows(me.id, id)).toEqual([]);
      world.nextMoment();
      expect(codeOf(await raise(typeId))).toBe('state_conflict');
    });

    it('gone while somebody is in it by request: taken out, and his request ends', async () => {
      const { idp, id, name } = await pushed();
      const request = await granted(await type([name]));
      expect(await groupsOf()).toContain(name);
      expect((await idp.call('DELETE', `/Groups/${id}`)).status).toBe(204);
      expect(await groupsOf()).not.toContain(name);
      await world.finish(request.id);
      expect(await stateOf(request.id)).toMatchObject({ state: 'ended', end_reason: 'removed' });
      expect(await rows(me.id, id)).toEqual([]);
    });

    it('renamed after it was asked for: the log knows it by its name of the day', async () => {
      const { idp, id, name } = await pushed();
      const request = await raised(await type([name]));
      const renamed = world.fresh('renamed');
      const done = await idp.patch(`/Groups/${id}`, [
        { op: 'replace', path: 'displayName', value: renamed },
      ]);
      expect(done.status).toBeLessThan(300);
      const outcome = must(await approve(request));
      expect(outcome.state).toBe('active');
      const added = await kit.db.sql
        .selectFrom('audit_events')
        .select('targets')
        .where('request_id', '=', request.id)
        .where('type', '=', 'group.user_membership.add')
        .execute();
      expect(added.map(({ targets }) => (targets as { name: string }[])[1]!.name)).toEqual([
        renamed,
      ]);
    });

    it('deny: its provider ends by SCIM what a request gave', async () => {
      const { idp, id, name } = await pushed();
      await granted(await type([name]));
      const cleared = await idp.patch(`/Groups/${id}`, [{ op: 'remove', path: 'members' }]);
      expect(cleared.status).toBeLessThan(300);
      expect((await rows(me.id, id)).map((row) => row.source)).toEqual(['request']);
    });
  });

  describe('a session that only the membership allowed', () => {
    /** A rule for the group that asks for nothing: its members may open at once. */
    async function opened() {
      must(
        await call('sam', 'POST', '/security_policy', {
          name: world.fresh('policy'),
          active: true,
          principals: { user_groups: [{ name: group.name }] },
          rules: [
            {
              name: 'all',
              resource_type: 'server_based_resource',
              resource_selector: {
                selectors: [
                  {
                    selector_type: 'server_label',
                    server_selector: { labels: { env: 'demo' } },
                    account_selector_type: 'username',
                    account_selector: { usernames: ['pamadmin1'] },
                  },
                ],
              },
              privileges: [{ privilege_type: 'vaulted_account_ssh' }],
              conditions: [],
            },
          ],
        }),
      );
      const id = await type([group.name], { grants_role: true });
      const request = await granted(id);
      await demo.gateway.renew();
      const { response, key } = await openAs(demo.service, demo.tokens[me.login]!, {
        ...(await methodFor(demo, me.login)),
      });
      const session = (must(response).session as { id: string }).id;
      must(await demo.gateway.call('POST', '/gateway/admissions', signIn(session, key)));
      return { request, session };
    }
    const state = async (id: string) =>
      (must(await call('uma', 'GET', `/sessions/${id}`)) as { state: string }).state;
    const listed = async () =>
      (must(await call(me.login, 'GET', '/servers')).list as unknown[]).length;
    const ways: [string, (id: string) => Promise<unknown>][] = [
      [
        'revoked',
        async (id) => must(await call('dana', 'POST', `/access_requests/${id}/revoke`, {})),
      ],
      ['dropped', async (id) => must(await call(me.login, 'POST', `/access_requests/${id}/drop`))],
      [
        'taken out by an administrator',
        async () => must(await call('pat', 'DELETE', `/groups/${group.id}/users/${me.id}`)),
      ],
      [
        'over',
        async (id) => {
          kit.clock.advance(DAY);
          await world.finish(id);
        },
      ],
    ];

    it.each(ways)('%s: cut at once, and the servers are gone from his list', async (_, end) => {
      const { request, session } = await opened();
      expect(await state(session)).toBe('live');
      const reviews = await reviewsOnSignals(kit, demo.service, (error) => {
        throw error;
      });
      try {
        await end(request.id);
        await expect.poll(() => state(session)).toMatch(/^(cut|ended)$/);
        await expect.poll(listed).toBe(0);
        expect(
          await methodsOf(demo.service, demo.tokens[me.login], demo.ids.server).catch(() => []),
        ).toEqual([]);
      } finally {
        await reviews.stop();
      }
    });
  });

  describe('who sees what', () => {
    it('deny: a stranger, and an owner of another group; every view of it is not there', async () => {
      const stranger = await world.newUser();
      await world.newGroup({ owners: [stranger.login] });
      const request = await granted(await type());
      for (const who of [stranger.login, 'ana']) {
        for (const path of ['', '/card'])
          expect((await call(who, 'GET', `/access_requests/${request.id}${path}`)).statusCode).toBe(
            404,
          );
        for (const act of ['revoke', 'drop', 'cancel', 'comments', 'escalate'])
          expect(
            (
              await call(who, 'POST', `/access_requests/${request.id}/${act}`, {
                ...(act === 'comments' ? { text: 'x' } : {}),
              })
            ).statusCode,
          ).toBeGreaterThanOrEqual(400);
        for (const view of ['mine', 'to_decide'])
          expect(must(await call(who, 'GET', `/access_requests?view=${view}`)).list).toEqual([]);
        expect((await call(who, 'GET', '/access_requests?view=all')).statusCode).toBe(403);
        expect((await call(who, 'GET', `/groups/${group.id}/members`)).statusCode).toBe(404);
      }
      expect(await stateOf(request.id)).toMatchObject({ state: 'active' });
    });

    it('deny: the requester learns what the group opens, or who else is in it', async () => {
      await granted(await type());
      const mine = await raised(await type(), { until: '2d' });
      const card = await call(me.login, 'GET', `/access_requests/${mine.id}/card`);
      expect(card.body).not.toMatch(/Opens|policies|role /);
      expect((await call(me.login, 'GET', `/groups/${group.id}/members`)).statusCode).toBe(404);
    });
  });
});
