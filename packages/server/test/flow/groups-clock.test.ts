import { type AccessRequest, type CatalogEntry, plus, seconds } from '@postern/shared';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { Refusal } from '../../src/platform/errors.ts';
import type { Jobs } from '../../src/platform/jobs.ts';
import { startTimers } from '../../src/requests/index.ts';
import { apply, codeOf, decide, makeUser, show, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, startReplica } from '../kit/service.ts';

const HOUR = 3600;
const GROUP = 'Night shift';

onBoth('a membership until a time, whatever happens to service and clock', (kit) => {
  const demo = withDemo(kit);
  const unsafe = new Refusal('clock_unsafe', 'Nothing is issued: the clock stepped back.');
  let n = 0;
  let login: string;
  let request: AccessRequest;

  /** A service that runs for a moment: no timer reaches it, so that only its sweep can help. */
  const run = async () => {
    const errors: unknown[] = [];
    const jobs = { work: async () => undefined } as Pick<Jobs, 'work'> as Jobs;
    const timers = await startTimers({
      jobs,
      transact: kit.transact,
      clock: {
        assertSafe: () => {
          if (demo.service.clock.refusal !== undefined) throw demo.service.clock.refusal;
        },
      },
      onError: (error) => errors.push(error),
    });
    await timers.stop();
    expect(errors).toEqual([]);
  };
  const isMember = async (): Promise<boolean> => {
    const me = must(await demo.service.call(demo.tokens[login], 'GET', '/whoami'));
    return (me.groups as { name: string }[]).some(({ name }) => name === GROUP);
  };
  const state = async () => (await show(demo.service, demo.tokens[login], request.id)).state;

  beforeAll(async () => {
    await apply(demo, 'pat', [{ kind: 'Group', name: GROUP, owners: ['dana'] }]);
    await apply(demo, 'sam', [
      {
        ...{ kind: 'RequestType', name: 'Night shift', purpose: 'group_membership' },
        audience: 'everyone',
        fields: [{ key: 'time', prompt: 'How long?', type: 'duration', required: true }],
        steps: [{ name: 'Owner', needs: { any: 1, of: ['group_owner'] } }],
        on_approved: [{ add_to_group: { group: GROUP, until: '$time' } }],
      },
    ]);
  });
  beforeEach(async () => {
    demo.service.clock.refusal = undefined;
    login = `night-${n++}`;
    await makeUser(demo, login, { groups: ['everyone'] });
    const expires_at = plus(kit.clock.now(), seconds(1000 * HOUR));
    await kit.db.sql.updateTable('tokens').set({ expires_at }).execute();
    kit.clock.advance(1);
    const { list } = must(await demo.service.call(demo.tokens[login], 'GET', '/catalog')) as {
      list: CatalogEntry[];
    };
    const raised = await demo.service.call(demo.tokens[login], 'POST', '/access_requests', {
      request_type_id: list.find((e) => e.request_type.name === 'Night shift')!.request_type.id,
      target: { type: 'group_membership' },
      answers: { time: '8h' },
    });
    const decided = await decide(demo.service, demo.tokens.dana, must(raised) as AccessRequest);
    request = must(decided) as AccessRequest;
    expect(await isMember()).toBe(true);
  });

  it('no service runs when its time is over: the next one finds no member, and takes it away', async () => {
    await run();
    expect(await state()).toBe('active');
    kit.clock.advance(20 * HOUR);
    const next = await startReplica(kit, demo.service);
    const me = must(await next.call(demo.tokens[login], 'GET', '/whoami'));
    expect((me.groups as { name: string }[]).map(({ name }) => name)).not.toContain(GROUP);
    await run();
    expect(await state()).toBe('ended');
    await next.stop();
  });

  it('the clock leaps ahead over it: over, and it does not come back with the clock', async () => {
    kit.clock.advance(9 * HOUR);
    await run();
    expect(await state()).toBe('ended');
    kit.clock.advance(-9 * HOUR);
    expect(await isMember()).toBe(false);
    expect(await state()).toBe('ended');
    kit.clock.advance(9 * HOUR);
  });

  it('the clock leaps an hour ahead within its time: still a member, with the same end', async () => {
    kit.clock.advance(HOUR);
    await run();
    expect(await isMember()).toBe(true);
    expect((await show(demo.service, demo.tokens[login], request.id)).ends_at).toBe(
      request.ends_at,
    );
  });

  it('the clock goes back an hour: the end does not move, nobody is let in, nothing is ended early', async () => {
    kit.clock.advance(-HOUR);
    demo.service.clock.refusal = unsafe;
    await run();
    expect(await state()).toBe('active');
    const again = await demo.service.call(demo.tokens[login], 'POST', '/access_requests', {
      request_type_id: request.request_type.id,
      target: { type: 'group_membership' },
      answers: { time: '8h' },
    });
    const pending = must(again) as AccessRequest;
    expect(codeOf(await decide(demo.service, demo.tokens.dana, pending))).toBe('clock_unsafe');
    demo.service.clock.refusal = undefined;
    kit.clock.advance(9 * HOUR);
    expect(await isMember()).toBe(false);
    await run();
    expect(await state()).toBe('ended');
  });

  it('two owners approve at once: one row, one audit trail', async () => {
    await apply(demo, 'pat', [{ kind: 'Group', name: GROUP, owners: ['dana', 'ana'] }]);
    kit.clock.advance(1);
    const again = must(
      await demo.service.call(demo.tokens[login], 'POST', '/access_requests', {
        request_type_id: request.request_type.id,
        target: { type: 'group_membership' },
        answers: { time: '12h' },
      }),
    ) as AccessRequest;
    const codes = (
      await Promise.all(['dana', 'ana'].map((who) => decide(demo.service, demo.tokens[who], again)))
    ).map(codeOf);
    expect(codes.filter((code) => code === '200')).toHaveLength(1);
    const rows = await kit.db.sql
      .selectFrom('memberships')
      .select('id')
      .where('request_id', '=', again.id)
      .execute();
    expect(rows).toHaveLength(1);
    const added = await kit.db.sql
      .selectFrom('audit_events')
      .select('id')
      .where('request_id', '=', again.id)
      .where('type', '=', 'group.user_membership.add')
      .execute();
    expect(added).toHaveLength(1);
  });
});
