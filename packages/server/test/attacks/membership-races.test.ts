import type { AccessRequest } from '@postern/shared';
import type { LightMyRequestResponse } from 'fastify';
import { describe, expect, it } from 'vitest';
import { apply, codeOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { connect } from '../scim/world.ts';
import { memberships } from './membership.ts';

const DAY = 86_400;

onBoth('membership by request: at once', (kit) => {
  const demo = withDemo(kit);
  const world = memberships(kit, demo);
  const { me, group, call, type, raise, raised, approve, granted, rows, stateOf, events } = world;
  // PGlite has one connection: there only the order differs.
  const rounds = () => (kit.kind === 'postgres' ? 3 : 1);
  const all = <T>(...acts: (() => Promise<T>)[]): Promise<T[]> =>
    Promise.all(acts.map((act) => act()));
  const many = <T>(n: number, act: () => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: n }, act));
  const codes = (responses: LightMyRequestResponse[]) => responses.map(codeOf).sort();
  const times = async (act: (round: number) => Promise<void>, most = rounds()) => {
    for (let round = 0; round < most; round++) {
      if (round > 0) {
        Object.assign(group, await world.newGroup());
        Object.assign(me, await world.newUser());
        world.nextMoment();
      }
      await act(round);
    }
  };
  const drop = (id: string) => () => call(me.login, 'POST', `/access_requests/${id}/drop`);
  const revoke = (id: string) => () => call('dana', 'POST', `/access_requests/${id}/revoke`, {});
  const cancel = (id: string) => () => call(me.login, 'POST', `/access_requests/${id}/cancel`);
  const remove = () => call('pat', 'DELETE', `/groups/${group.id}/users/${me.id}`);
  const disable = () => call('pat', 'PATCH', `/users/${me.id}`, { status: 'DISABLED' });
  const counted = async (id: string): Promise<Record<string, number>> =>
    Object.fromEntries(
      Object.entries(Object.groupBy(await events(id), (name) => name)).map(([name, list]) => [
        name.replace(/^.*\.(?=\w+$)/, ''),
        list!.length,
      ]),
    );
  const GRANTED = { create: 1, decide: 1, resolve: 1, add: 1, activate: 1 };

  it('the same asked for many times: one request', () =>
    times(async () => {
      const id = await type();
      const said = await many(5, () => raise(id));
      expect(codes(said).filter((code) => code !== '200')).toEqual(['201']);
      expect(new Set(said.map((response) => response.json().id)).size).toBe(1);
      expect(await counted(said[0]!.json().id)).toEqual({ create: 1 });
    }));

  it('deny: more than 20 pending, however many are asked for at once', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 23; i++) ids.push(await type());
    for (const id of ids.slice(0, 18)) must(await raise(id));
    const said = await all(...ids.slice(18).map((id) => () => raise(id)));
    expect(codes(said)).toEqual(['201', '201', ...Array(3).fill('state_conflict')]);
  });

  it('many approvals by many owners: one row, one end', () =>
    times(async () => {
      await apply(demo, 'pat', [
        { kind: 'Group', name: group.name, owners: ['dana', 'bo', 'ana'] },
      ]);
      world.nextMoment();
      const request = await raised(await type());
      const said = await all(
        ...['dana', 'bo', 'ana', 'dana', 'bo'].map((who) => () => approve(request, who)),
      );
      expect(codes(said)).toEqual(['200', ...Array(4).fill('request_already_resolved')]);
      expect((await rows()).map((row) => row.request_id)).toEqual([request.id]);
      expect(await counted(request.id)).toEqual(GRANTED);
    }));

  it('two requests for the same group approved at once: a row each', () =>
    times(async () => {
      const [one, two] = [await raised(await type()), await raised(await type())];
      const said = await all(
        () => approve(one),
        () => approve(two),
      );
      expect(codes(said)).toEqual(['200', '200']);
      expect((await rows()).map((row) => row.request_id).sort()).toEqual([one.id, two.id].sort());
    }));

  it('two people who approve each other at once: both are in, and nobody waits for ever', () =>
    times(async () => {
      const other = await world.newUser();
      const both = { kind: 'Group', name: group.name, owners: [me.login, other.login] };
      await apply(demo, 'pat', [both]);
      world.nextMoment();
      const id = await type();
      const [mine, theirs] = [await raised(id), await raised(id, undefined, other.login)];
      const said = await all(
        () => approve(mine, other.login),
        () => approve(theirs, me.login),
      );
      expect(codes(said)).toEqual(['200', '200']);
      expect([(await rows()).length, (await rows(other.id)).length]).toEqual([1, 1]);
      // The database breaks the tie after a second.
    }, 2));

  describe('an approval', () => {
    /** What must hold of a request that was approved while something else happened. */
    const agrees = async (request: AccessRequest) => {
      const { state } = await stateOf(request.id);
      const live = (await rows()).filter((row) => row.request_id === request.id);
      expect([state, live.length]).toEqual([state, state === 'active' ? 1 : 0]);
      const { add = 0, remove: gone = 0, resolve = 0 } = await counted(request.id);
      expect([state, add - gone]).toEqual([state, live.length]);
      expect(resolve).toBeLessThanOrEqual(1);
      return state;
    };

    it('and a cancellation: one of them', () =>
      times(async () => {
        const request = await raised(await type());
        const said = await all(() => approve(request), cancel(request.id));
        expect(codes(said)[0]).toBe('200');
        expect(codes(said)[1]).not.toBe('200');
        expect(['active', 'canceled']).toContain(await agrees(request));
      }));

    it('and a denial: one of them', () =>
      times(async () => {
        const request = await raised(await type());
        const said = await all(
          () => approve(request),
          () => approve(request, 'dana', { decision: 'deny' }),
        );
        expect(codes(said)).toEqual(['200', 'request_already_resolved']);
        expect(['active', 'denied']).toContain(await agrees(request));
      }));

    it('and the person disabled: he is in nothing', () =>
      times(async () => {
        const request = await raised(await type());
        const [, disabled] = await all(() => approve(request), disable);
        expect(codeOf(disabled!)).toBe('200');
        expect(['ended', 'canceled']).toContain(await agrees(request));
        expect(await rows()).toEqual([]);
      }));

    it('and the person disabled while he asks: nothing is left pending', () =>
      times(async () => {
        const id = await type();
        const [asked, disabled] = await all(() => raise(id), disable);
        expect(codeOf(disabled!)).toBe('200');
        expect(['201', 'unauthenticated']).toContain(codeOf(asked!));
        const open = await kit.db.sql
          .selectFrom('access_requests')
          .select('id')
          .where('requester_id', '=', me.id)
          .where('state', 'in', ['pending', 'approved', 'active'])
          .execute();
        expect(open).toEqual([]);
      }));

    it('and the group deleted by its provider: nobody is in it', async () => {
      const idp = await connect(demo, world.fresh('idp'));
      await times(async () => {
        const name = world.fresh('pushed');
        Object.assign(group, { name, id: await idp.group(name) });
        await apply(demo, 'pat', [{ kind: 'Group', name, owners: ['dana'] }]);
        world.nextMoment();
        const request = await raised(await type());
        const [approved, deleted] = await Promise.all([
          approve(request),
          idp.call('DELETE', `/Groups/${group.id}`),
        ]);
        expect([codeOf(approved), deleted.status]).toEqual(['200', 204]);
        expect(await rows()).toEqual([]);
        await world.finish(request.id);
        expect(['failed', 'ended']).toContain(await agrees(request));
      });
    });

    it('and a role for the group: not both', () =>
      times(async () => {
        const request = await raised(await type());
        const [approved, role] = await all(
          () => approve(request),
          () => call('pat', 'PUT', `/groups/${group.id}/roles`, { roles: ['auditor'] }),
        );
        expect(codeOf(approved!)).toBe('200');
        const state = await agrees(request);
        expect([state, codeOf(role!)]).toEqual(
          state === 'active' ? ['active', 'state_conflict'] : ['failed', '200'],
        );
        const { roles } = must(await call(me.login, 'GET', '/whoami'));
        expect(roles).not.toContain('auditor');
      }));

    it('and the owner’s removal from the owners: decided before, or not at all', () =>
      times(async () => {
        await apply(demo, 'pat', [{ kind: 'Group', name: group.name, owners: ['dana', 'bo'] }]);
        world.nextMoment();
        const request = await raised(await type());
        const [approved] = await all(
          () => approve(request, 'bo'),
          () => call('pat', 'PUT', `/groups/${group.id}/owners`, { owners: [demo.ids.users.dana] }),
        );
        expect(['200', 'not_found', 'not_permitted']).toContain(codeOf(approved!));
        expect(await agrees(request)).toBe(codeOf(approved!) === '200' ? 'active' : 'pending');
      }));

    it('and the type retired: a request that runs keeps its version, one that does not is none', () =>
      times(async () => {
        const id = await type();
        const request = await raised(id);
        const [approved, retired] = await all(
          () => approve(request),
          () => call('sam', 'DELETE', `/request_types/${id}`),
        );
        expect([codeOf(approved!), retired!.statusCode]).toEqual(['200', 204]);
        expect(await agrees(request)).toBe('active');
        expect(codeOf(await raise(id))).toBe('not_found');
      }));

    it('and the end of its date: in until then, or not at all', () =>
      times(async () => {
        const date = new Date(kit.clock.now() + DAY * 1000).toISOString().slice(0, 10);
        const request = await raised(await type([group.name], { fields: [world.FIELDS.date] }), {
          until: date,
        });
        const end = Date.parse(request.steps[0]!.expires_at!);
        kit.clock.advance((end - kit.clock.now()) / 1000 - 1);
        const [approved] = await Promise.all([
          approve(request),
          (async () => {
            kit.clock.advance(1);
            await world.finish(request.id);
          })(),
        ]);
        expect(['200', 'state_conflict', 'request_already_resolved']).toContain(codeOf(approved));
        expect(await world.groupsOf()).not.toContain(group.name);
        await world.finish(request.id);
        expect(['ended', 'expired']).toContain(await agrees(request));
      }));
  });

  it('the end of its time, a revocation, a drop and a removal: it ends once', () =>
    times(async () => {
      const request = await granted(await type(), { until: '1d' });
      kit.clock.advance(DAY - 1);
      const [, ...said] = await all<unknown>(
        async () => {
          kit.clock.advance(1);
          await world.finish(request.id);
        },
        revoke(request.id),
        drop(request.id),
        remove,
        () => world.finish(request.id),
      );
      for (const each of said.slice(0, 3) as LightMyRequestResponse[])
        expect(each.statusCode).toBeLessThan(500);
      await world.finish(request.id);
      expect(['ended', 'revoked']).toContain((await stateOf(request.id)).state);
      expect(await rows()).toEqual([]);
      const {
        end = 0,
        drop: dropped = 0,
        revoke: revoked = 0,
        ...rest
      } = await counted(request.id);
      expect([end + dropped + revoked, rest]).toEqual([1, { ...GRANTED, remove: 1 }]);
    }));

  it('one person drops, and cancels, the same many times: no fault, once done', async () => {
    const given = await granted(await type());
    const pending = await raised(await type());
    const dropped = await many(6, drop(given.id));
    expect(codes(dropped)).toEqual(['200', ...Array(5).fill('state_conflict')]);
    const canceled = await many(6, cancel(pending.id));
    expect(codes(canceled).filter((code) => code === '200')).toHaveLength(1);
    expect(canceled.some((response) => response.statusCode >= 500)).toBe(false);
    expect(await rows()).toEqual([]);
    expect(await counted(given.id)).toEqual({ ...GRANTED, drop: 1, remove: 1 });
  });

  it('the first revoked while the second is approved: in by the second alone', () =>
    times(async () => {
      const first = await granted(await type());
      const second = await raised(await type());
      const said = await all(revoke(first.id), () => approve(second));
      expect(codes(said)).toEqual(['200', '200']);
      expect((await rows()).map((row) => row.request_id)).toEqual([second.id]);
    }));

  it('an administrator changes himself many times at once: each is answered', async () => {
    const path = `/groups/${group.id}/users/${demo.ids.users.pat}`;
    const said = [
      ...(await many(6, () => call('pat', 'PUT', path))),
      ...(await many(6, () =>
        call('pat', 'PATCH', `/users/${demo.ids.users.pat}`, { name: 'Pat' }),
      )),
      ...(await many(6, () => call('pat', 'DELETE', path))),
    ];
    for (const response of said) expect(codes([response])).toEqual([String(response.statusCode)]);
  });

  it('at the end: no row without its request, no request without its row', async () => {
    const { sql } = kit.db;
    const live = await sql
      .selectFrom('memberships as m')
      .innerJoin('access_requests as r', 'r.id', 'm.request_id')
      .innerJoin('users as u', 'u.id', 'm.user_id')
      .select(['r.state', 'u.status', 'm.request_id'])
      .where('m.ended_at', 'is', null)
      .execute();
    for (const { state, status } of live) expect([state, status]).toEqual(['active', 'ACTIVE']);
    const active = await sql
      .selectFrom('access_requests')
      .select('id')
      .where('state', '=', 'active')
      .execute();
    expect(active.map(({ id }) => id).sort()).toEqual(live.map((row) => row.request_id).sort());
    for (const { id } of active)
      expect(await counted(id)).toEqual(expect.objectContaining(GRANTED));
  });
});
