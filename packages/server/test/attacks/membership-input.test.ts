import { describe, expect, it } from 'vitest';
import { apply, codeOf, methodFor, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { memberships } from './membership.ts';

const DAY = 86_400;

onBoth('membership by request: what is sent', (kit) => {
  const demo = withDemo(kit);
  const world = memberships(kit, demo);
  const { me, group, call, type, raise, raised, granted, groupsOf, stateOf } = world;

  describe('what is sent', () => {
    it('deny: a type of one purpose with a target of the other', async () => {
      const into = await type();
      const server = demo.ids.request_type;
      expect(codeOf(await raise(server, { justification: 'x' }))).toBe('not_found');
      await apply(demo, 'pat', [
        { kind: 'User', login: me.login, name: 'Asker', groups: ['everyone', 'linux-users'] },
      ]);
      const { server_id, identity, access_credential } = await methodFor(demo, me.login);
      const target = { type: 'server_access', server_id, identity, access_credential };
      const swapped = await call(me.login, 'POST', '/access_requests', {
        ...{ request_type_id: into, target, answers: { until: '1d' } },
      });
      expect(swapped.statusCode).toBeGreaterThanOrEqual(400);
      expect(swapped.statusCode).toBeLessThan(500);
      expect(must(await call(me.login, 'GET', '/access_requests')).list).toEqual([]);
    });

    it('deny: a target that names groups, people or an end of its own', async () => {
      const id = await type();
      for (const more of [
        { memberships: [{ group: { id: demo.ids.groups.owners }, ends_at: null }] },
        { group_id: demo.ids.groups.owners },
        { user_id: demo.ids.users.dana },
      ]) {
        const sent = await call(me.login, 'POST', '/access_requests', {
          request_type_id: id,
          target: { type: 'group_membership', ...more },
          answers: { until: '1d' },
        });
        expect(codeOf(sent)).toBe('invalid_request');
      }
    });

    const NO_DATES: [string, unknown][] = [
      ['a day that there is not', '2026-02-29'],
      ['a century that does not leap', '2100-02-29'],
      ['digits of another script', '２０２７-０１-０１'],
      ['Arabic digits', '٢٠٢٧-٠١-٠١'],
      ['a time', '2027-01-01T00:00:00Z'],
      ['an offset', '2027-01-01+14:00'],
      ['a year of five digits', '10000-01-01'],
      ['a signed year', '+010000-01-01'],
      ['a year before any', '-000001-01-01'],
      ['the year naught', '0000-01-01'],
      ['a month of naught', '2027-00-10'],
      ['space around it', ' 2027-01-01'],
      ['a line end', '2027-01-01\n'],
      ['a number', 20270101],
      ['a list', ['2027-01-01']],
      ['null', null],
      ['an object', { date: '2027-01-01' }],
    ];
    it('deny: what is no date', async () => {
      const id = await type([group.name], { fields: [world.FIELDS.date] });
      for (const [what, until] of NO_DATES)
        expect([what, codeOf(await raise(id, { until }))]).toEqual([what, 'invalid_request']);
    });

    it.each(['UTC', 'Pacific/Kiritimati', 'America/Los_Angeles'])(
      'a date in %s whose end has no RFC 3339 time is none; the last before is kept',
      async (zone) => {
        const id = await type([group.name], { fields: [{ ...world.FIELDS.date, zone }] });
        for (const until of ['9999-12-31', '9999-01-01'])
          expect(codeOf(await raise(id, { until }))).toBe('invalid_request');
        const { id: kept, ends_at } = await granted(id, { until: '9998-12-31' });
        expect(ends_at).toMatch(/^999[89]-/);
        expect((await call(me.login, 'GET', `/access_requests/${kept}`)).statusCode).toBe(200);
        expect(await groupsOf()).toContain(group.name);
      },
    );

    it('a leap day counts to its end', async () => {
      const id = await type([group.name], { fields: [{ ...world.FIELDS.date, zone: 'UTC' }] });
      const { target } = await raised(id, { until: '2028-02-29' });
      expect(target).toMatchObject({ memberships: [{ ends_at: '2028-03-01T00:00:00.000Z' }] });
    });

    it('max_ahead holds to the millisecond, and again where a day is 25 hours long', async () => {
      const fields = [{ ...world.FIELDS.date, zone: 'UTC', max_ahead: '2d' }];
      const id = await type([group.name], { fields });
      const now = kit.clock.now();
      const midnight = Math.ceil(now / (DAY * 1000)) * DAY * 1000;
      kit.clock.advance((midnight - now) / 1000);
      const day = (days: number) =>
        new Date(kit.clock.now() + days * DAY * 1000).toISOString().slice(0, 10);
      expect((await raise(id, { until: day(2) })).statusCode).toBe(400);
      expect((await raise(id, { until: day(1) })).statusCode).toBe(201);
      const other = await type([group.name], { fields });
      // A second has gone by: what ends two days after today's begin is within reach still.
      expect((await raise(other, { until: day(1) })).statusCode).toBe(201);
    });

    const NO_DURATIONS = [
      ...['0d', '-1d', '99999999d', '999999999s', '1e9s', '1.5h', '１d', '٣d', '1d1d', 'Infinity'],
      ...['3651d', '59s', '0x10d', '1D', ' 1d', '1d\u0000', '\u202e1d', '1w'],
    ];
    it('deny: what is no duration, or is not between the bounds', async () => {
      const id = await type();
      for (const until of NO_DURATIONS)
        expect([until, codeOf(await raise(id, { until }))]).toEqual([until, 'invalid_request']);
    });

    it('the longest duration that there is can be kept', async () => {
      const request = await granted(await type(), { until: '3650d' });
      expect(Date.parse(request.ends_at!)).toBe(kit.clock.now() + 3650 * DAY * 1000);
    });

    const ODD: [string, unknown, unknown][] = [
      ['no id', 'x', { until: '1d' }],
      ['an id of nothing', '00000000-0000-0000-0000-000000000000', { until: '1d' }],
      ['a NUL in the id', '\u0000', { until: '1d' }],
      ['answers that are a list', undefined, ['1d']],
      ['answers that are a text', undefined, '1d'],
      ['no answers', undefined, undefined],
      ['a NUL', undefined, { until: '1d', why: '\u0000' }],
      ['half a character', undefined, { until: '1d', why: '\ud800' }],
      ['half a character as a key', undefined, { until: '1d', '\ud800': 'x' }],
      ['the name of a method', undefined, { until: '1d', constructor: 'x' }],
      ['another method, alone', undefined, { toString: '1d' }],
      ['a text direction', undefined, { until: '1d', why: 'a\u202eb' }],
    ];
    it('odd ids and answers are refused, and are no fault', async () => {
      const id = await type([group.name], {
        fields: [world.FIELDS.time, { key: 'why', prompt: 'Why?', type: 'text' }],
      });
      for (const [what, request_type_id, answers] of ODD) {
        const { statusCode } = await call(me.login, 'POST', '/access_requests', {
          request_type_id: request_type_id ?? id,
          target: { type: 'group_membership' },
          ...(answers === undefined ? {} : { answers }),
        });
        expect([what, statusCode === 400 || statusCode === 404]).toEqual([what, true]);
      }
    });

    it('deny: an answer of __proto__ chooses no group', async () => {
      const { app } = demo.service;
      const id = await type();
      const sent = await app.inject({
        method: 'POST',
        url: '/v1/teams/demo/access_requests',
        headers: {
          authorization: `Bearer ${demo.tokens[me.login]}`,
          'content-type': 'application/json',
        },
        payload: `{"request_type_id":"${id}","target":{"type":"group_membership"},"answers":{"__proto__":{"until":"1d"}}}`,
      });
      expect(sent.statusCode).toBeGreaterThanOrEqual(400);
      expect(sent.statusCode).toBeLessThan(500);
      expect(({} as { until?: string }).until).toBeUndefined();
    });

    it('deny: revoke, drop, cancel and decide with a body or an id that is none', async () => {
      const request = await raised(await type());
      for (const path of ['x', '%00', '..', '00000000-0000-0000-0000-000000000000'])
        for (const act of ['cancel', 'drop', 'revoke', 'decisions', 'comments']) {
          const sent = await call(me.login, 'POST', `/access_requests/${path}/${act}`, {});
          expect([400, 404, 405]).toContain(sent.statusCode);
        }
      for (const act of ['drop', 'revoke'])
        expect(codeOf(await call('sam', 'POST', `/access_requests/${request.id}/${act}`, {}))).toBe(
          act === 'drop' ? 'not_found' : 'state_conflict',
        );
      expect(await stateOf(request.id)).toMatchObject({ state: 'pending' });
    });
  });

  describe('whom a type is for', () => {
    it('deny: raised by whoever has left the audience, though the type stands in his list', async () => {
      const audience = await world.newGroup();
      must(await call('pat', 'PUT', `/groups/${audience.id}/users/${me.id}`));
      const id = await type([group.name], { audience: { groups: [audience.name] } });
      expect((await world.catalogue()).map((entry) => entry.request_type.id)).toContain(id);
      must(await call('pat', 'DELETE', `/groups/${audience.id}/users/${me.id}`));
      expect((await world.catalogue()).map((entry) => entry.request_type.id)).not.toContain(id);
      expect(codeOf(await raise(id))).toBe('not_found');
    });

    it('deny: into the audience by a membership that is over and not yet taken away', async () => {
      const entry = await type();
      const first = await granted(entry, { until: '1h' });
      const inner = await world.newGroup();
      const id = await type([inner.name], { audience: { groups: [group.name] } });
      expect((await world.catalogue()).map((e) => e.request_type.id)).toContain(id);
      kit.clock.advance(3600);
      expect((await world.catalogue()).map((e) => e.request_type.id)).not.toContain(id);
      expect(codeOf(await raise(id))).toBe('not_found');
      await world.finish(first.id);
    });

    it('deny: raised after the type is retired; the catalogue has it no more', async () => {
      const id = await type();
      must(await call('sam', 'DELETE', `/request_types/${id}`));
      expect(codeOf(await raise(id))).toBe('not_found');
      expect((await world.catalogue()).map((e) => e.request_type.id)).not.toContain(id);
    });
  });
});
