import type { AccessRequest } from '@postern/shared';
import { beforeEach, describe, expect, it } from 'vitest';
import { finishDue } from '../../src/requests/service-end.ts';
import { finishOverdue } from '../../src/sessions/service-lease.ts';
import { warnOfEnds } from '../../src/sessions/service-warn.ts';
import { approvedFor, decide, makeUser, methodFor, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { LONGEST_SESSION, must } from '../kit/service.ts';
import { openAs, signIn } from '../kit/sessions.ts';
import { reviewsOnSignals } from '../kit/still.ts';

const MINUTE = 60;
const PERIOD = 30 * MINUTE;

onBoth('a running grant', (kit) => {
  const demo = withDemo(kit);
  let n = 0;
  let login: string;
  let first: AccessRequest;
  let session: string;

  const stateOf = async (id = session) =>
    must(await demo.service.call(demo.tokens.uma, 'GET', `/sessions/${id}`)) as {
      state: string;
      expires_at: string;
      request_id: string | null;
      end_reason: string | null;
    };
  const overdue = async () => {
    await demo.gateway.renew([session]);
    await kit.transact((tx) => finishOverdue(tx, LONGEST_SESSION));
  };
  const live = async () => {
    await demo.gateway.renew();
    const { response, key } = await openAs(demo.service, demo.tokens[login]!, {
      ...(await methodFor(demo, login)),
    });
    const { id } = must(response).session as { id: string };
    must(await demo.gateway.call('POST', '/gateway/admissions', signIn(id, key)));
    return id;
  };
  /** Another request of the same, approved. */
  const extend = async () => {
    const request = await raisedBy(demo, login);
    return must(await decide(demo.service, demo.tokens.dana, request)) as AccessRequest;
  };

  beforeEach(async () => {
    login = `asker-${n++}`;
    const groups = ['everyone', 'linux-users'];
    await makeUser(demo, login, { manager: 'dana', groups, email: `${login}@example.test` });
    kit.clock.advance(1);
    first = await approvedFor(demo, login);
    session = await live();
  });

  describe('extended', () => {
    it('a new request of the same, once approved, moves the end of the session', async () => {
      const reviews = await reviewsOnSignals(kit, demo.service, (error) => {
        throw error;
      });
      try {
        const before = Date.parse((await stateOf()).expires_at);
        kit.clock.advance(20 * MINUTE);
        const second = await extend();
        expect(second.id).not.toBe(first.id);
        await expect
          .poll(async () => Date.parse((await stateOf()).expires_at))
          .toBe(kit.clock.now() + PERIOD * 1000);
        expect(Date.parse((await stateOf()).expires_at)).toBe(before + 20 * MINUTE * 1000);
        expect(await stateOf()).toMatchObject({ state: 'live', request_id: second.id });
      } finally {
        await reviews.stop();
      }
    });

    it('approved in the last second, and nobody heard of it: reviewed before it is cut', async () => {
      kit.clock.advance(PERIOD - 1);
      await extend();
      kit.clock.advance(1);
      await overdue();
      expect((await stateOf()).state).toBe('live');
      kit.clock.advance(PERIOD);
      await overdue();
      expect(await stateOf()).toMatchObject({ state: 'cut', end_reason: 'expired' });
    });

    it('the end of the first approval leaves it alone; revoking the second cuts it', async () => {
      kit.clock.advance(20 * MINUTE);
      const second = await extend();
      kit.clock.advance(10 * MINUTE);
      await overdue();
      await kit.transact((tx) => finishDue(tx, first.id));
      expect((await stateOf()).state).toBe('live');
      must(
        await demo.service.call(demo.tokens.dana, 'POST', `/access_requests/${second.id}/revoke`, {
          reason: 'enough',
        }),
      );
      expect(await stateOf()).toMatchObject({ state: 'cut', end_reason: 'revoked' });
    });

    it('never beyond the longest that any session lasts', async () => {
      for (let minutes = 0; minutes <= LONGEST_SESSION / 60; minutes += 20) {
        await extend();
        await overdue();
        if ((await stateOf()).state !== 'live') break;
        kit.clock.advance(20 * MINUTE);
      }
      await overdue();
      expect(await stateOf()).toMatchObject({ state: 'cut', end_reason: 'expired' });
    }, 240_000);

    it('a denied one leaves the session as it was', async () => {
      const before = await stateOf();
      const request = await raisedBy(demo, login);
      must(
        await decide(demo.service, demo.tokens.dana, request, { decision: 'deny', comment: 'no' }),
      );
      await overdue();
      expect(await stateOf()).toEqual(before);
      kit.clock.advance(PERIOD);
      await overdue();
      expect((await stateOf()).state).toBe('cut');
    });
  });

  describe('warned of its end by message', () => {
    const warnings = async (): Promise<unknown[]> => {
      await kit.transact(warnOfEnds);
      const rows = await kit.db.sql
        .selectFrom('messages as m')
        .innerJoin('users as u', 'u.id', 'm.to_user_id')
        .select('m.body')
        .where('u.login', '=', login)
        .where('m.kind', '=', 'access_ending')
        .orderBy('m.id')
        .execute();
      return rows.map((row) => (row.body as { seconds_left: number }).seconds_left);
    };

    it('5 minutes and 1 minute before, each once', async () => {
      kit.clock.advance(PERIOD - 5 * MINUTE - 1);
      expect(await warnings()).toEqual([]);
      kit.clock.advance(1);
      expect(await warnings()).toEqual([300]);
      kit.clock.advance(4 * MINUTE - 1);
      expect(await warnings()).toEqual([300]);
      kit.clock.advance(1);
      expect(await warnings()).toEqual([300, 60]);
      kit.clock.advance(30);
      expect(await warnings()).toEqual([300, 60]);
    });

    it('extended meanwhile: not of the end that moved, but of the new one', async () => {
      kit.clock.advance(PERIOD - 5 * MINUTE);
      expect(await warnings()).toEqual([300]);
      await extend();
      kit.clock.advance(5 * MINUTE);
      await overdue();
      expect(await warnings()).toEqual([300]);
      kit.clock.advance(20 * MINUTE);
      expect(await warnings()).toEqual([300, 300]);
    });

    it('of no session that has ended', async () => {
      must(
        await demo.service.call(demo.tokens[login], 'POST', `/sessions/${session}/terminate`, {}),
      );
      kit.clock.advance(PERIOD - MINUTE);
      expect(await warnings()).toEqual([]);
    });
  });
});
