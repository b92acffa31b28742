import { type AccessRequest, plus, seconds } from '@postern/shared';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { authenticate, type Caller } from '../../src/identity/index.ts';
import { bearer } from '../../src/platform/credentials.ts';
import { Refusal } from '../../src/platform/errors.ts';
import type { Tx } from '../../src/platform/tx.ts';
import { finishDue, revokeRequest } from '../../src/requests/service-end.ts';
import { reviewSession } from '../../src/sessions/service-cut.ts';
import {
  approvedFor,
  askOf,
  codeOf,
  decide,
  makeUser,
  methodFor,
  raisedBy,
  show,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { LONGEST_SESSION, must } from '../kit/service.ts';
import { openAs, signIn } from '../kit/sessions.ts';

const HOUR = 3_600;

onBoth('attacks on a request and a session that run', (kit) => {
  const demo = withDemo(kit);
  let n = 0;

  const call = (
    login: string,
    method: 'GET' | 'POST' | 'DELETE' | 'PATCH' | 'PUT',
    path: string,
    body?: unknown,
  ) => demo.service.call(demo.tokens[login], method, path, body);
  const person = async (name: string, document: Record<string, unknown> = {}) => {
    const login = `${name}-${n++}`;
    const id = await makeUser(demo, login, { groups: ['everyone'], ...document });
    kit.clock.advance(1);
    return { login, id };
  };
  const asker = (manager = 'dana') =>
    person('asker', { manager, groups: ['everyone', 'linux-users'] });

  beforeAll(async () => {
    await kit.db.sql
      .updateTable('tokens')
      .set({ expires_at: plus(kit.clock.now(), seconds(1_000 * 86_400)) })
      .execute();
  });
  beforeEach(async () => {
    demo.service.clock.refusal = undefined;
    await demo.gateway.renew();
  });

  describe('escalation', () => {
    /** Two of a group have voted; the manager has not. One more place is theirs once it is escalated. */
    const waiting = async () => {
      await askOf(
        demo,
        {
          all: [
            { any: 1, of: ['manager'] },
            { any: 1, of: ['group:linux-approvers'] },
          ],
        },
        { escalate_after: '5m', on_timeout: { escalate_to: ['group:linux-approvers'] } },
      );
      kit.clock.advance(1);
      const self = await asker();
      const request = await raisedBy(demo, self.login);
      const first = must(await decide(demo.service, demo.tokens.ana, request)) as AccessRequest;
      must(await decide(demo.service, demo.tokens.bo, first));
      kit.clock.advance(300);
      return { self, request };
    };
    const escalate = (login: string, id: string) =>
      call(login, 'POST', `/access_requests/${id}/escalate`, { reason: 'waiting' });

    it('approves nothing while the clock cannot be trusted', async () => {
      const { self, request } = await waiting();
      demo.service.clock.refusal = new Refusal('clock_unsafe', 'The clock is wrong.');
      expect(codeOf(await escalate(self.login, request.id))).toBe('clock_unsafe');
      demo.service.clock.refusal = undefined;
      expect((await show(demo.service, demo.tokens[self.login], request.id)).state).toBe('pending');
    });

    it('the requester who escalates is not on record as who approved', async () => {
      const { self, request } = await waiting();
      const after = must(await escalate(self.login, request.id)) as AccessRequest;
      expect(after.state).toBe('approved');
      const events = await kit.db.sql
        .selectFrom('audit_events')
        .select(['type', 'actor'])
        .where('request_id', '=', request.id)
        .where('type', 'in', ['access.request.escalate', 'access.request.resolve'])
        .orderBy('id')
        .execute();
      expect(events.map((e) => [e.type, (e.actor as { id: string | null }).id])).toEqual([
        ['access.request.escalate', self.id],
        ['access.request.resolve', null],
      ]);
      const { history } = must(
        await call(self.login, 'GET', `/access_requests/${request.id}`),
      ) as unknown as { history: { event: string; by: { id: string } | null }[] };
      expect(history.find((h) => h.event === 'approved')?.by).toBeNull();
    });

    it('twice at once, and at once with the time-out: once, and the step does not run for ever', async () => {
      await askOf(
        demo,
        { any: 1, of: ['manager'] },
        {
          timeout: '1h',
          escalate_after: '5m',
          on_timeout: { escalate_to: ['group:linux-approvers'] },
        },
      );
      kit.clock.advance(1);
      const self = await asker();
      const { id } = await raisedBy(demo, self.login);
      kit.clock.advance(HOUR - 1);
      const said = await Promise.all([
        escalate(self.login, id),
        escalate(self.login, id),
        kit.transact((tx) => finishDue(tx, id)).then(() => undefined),
      ]);
      expect(
        said
          .slice(0, 2)
          .map((r) => codeOf(r!))
          .sort(),
      ).toEqual(['200', 'state_conflict']);
      kit.clock.advance(HOUR - 1);
      expect(codeOf(await escalate(self.login, id))).toBe('state_conflict');
      kit.clock.advance(1);
      await kit.transact((tx) => finishDue(tx, id));
      expect((await show(demo.service, demo.tokens[self.login], id)).state).toBe('expired');
    });
  });

  describe('a running session and another approval', () => {
    const PERIOD = 30 * 60;
    const live = async (login: string, identity = 'pamadmin1') => {
      await demo.gateway.renew();
      const method = { ...(await methodFor(demo, login, identity)) };
      const { response, key } = await openAs(demo.service, demo.tokens[login]!, method);
      const { id } = must(response).session as { id: string };
      must(await demo.gateway.call('POST', '/gateway/admissions', signIn(id, key)));
      return id;
    };
    const review = (id: string) => kit.transact((tx) => reviewSession(tx, LONGEST_SESSION, id));
    const session = (id: string) =>
      kit.db.sql
        .selectFrom('sessions')
        .select(['state', 'expires_at', 'request_id', 'end_reason'])
        .where('id', '=', id)
        .executeTakeFirstOrThrow();
    let sam: Caller;

    beforeAll(async () => {
      await askOf(demo, { any: 1, of: ['manager'] });
      sam = await kit.transact((tx) => authenticate(tx, bearer(demo.tokens.sam!)));
    });

    it('of another account, or of another person: it ends when it would have', async () => {
      const [self, other] = [await asker(), await asker()];
      await approvedFor(demo, self.login);
      const id = await live(self.login);
      const before = await session(id);
      kit.clock.advance(20 * 60);
      await approvedFor(demo, self.login, 'dana', 'pamadmin2');
      await approvedFor(demo, other.login);
      await review(id);
      expect(await session(id)).toEqual(before);
    });

    it('revoked, or given up, before it was looked at: it moves nothing', async () => {
      for (const how of ['revoke', 'drop']) {
        const self = await asker();
        await approvedFor(demo, self.login);
        const id = await live(self.login);
        const before = await session(id);
        kit.clock.advance(20 * 60);
        const second = await approvedFor(demo, self.login);
        const by = how === 'revoke' ? 'dana' : self.login;
        must(await call(by, 'POST', `/access_requests/${second.id}/${how}`, {}));
        await review(id);
        expect([how, await session(id)]).toEqual([how, before]);
      }
    });

    it('revoked at once with the review that reads it: the session does not go on by it', async () => {
      for (const begins of ['the review', 'the revocation']) {
        const self = await asker();
        const first = await approvedFor(demo, self.login);
        const id = await live(self.login);
        kit.clock.advance(20 * 60);
        const second = await approvedFor(demo, self.login);
        const reviews = (tx: Tx) => reviewSession(tx, LONGEST_SESSION, id);
        const revokes = async (tx: Tx) =>
          void (await revokeRequest(tx, sam, new Set(['any']), second.id, 'enough'));
        const [one, other] =
          begins === 'the review' ? [reviews, revokes] : ([revokes, reviews] as const);
        const begun = Promise.withResolvers<void>();
        const release = Promise.withResolvers<void>();
        const early = kit.transact(async (tx) => {
          await one(tx);
          begun.resolve();
          await release.promise;
        });
        await begun.promise;
        const late = kit.transact(other);
        await Promise.race([late, new Promise((done) => setTimeout(done, 300))]);
        release.resolve();
        await Promise.all([early, late]);
        const { state, request_id } = await session(id);
        expect([begins, state, request_id]).toEqual(
          begins === 'the review' ? [begins, 'cut', second.id] : [begins, 'live', first.id],
        );
      }
    });

    it('with the requester disabled, or the clock an hour back, it does not last longer', async () => {
      const self = await asker();
      await approvedFor(demo, self.login);
      const id = await live(self.login);
      kit.clock.advance(20 * 60);
      await approvedFor(demo, self.login);
      must(await call('pat', 'PATCH', `/users/${self.id}`, { status: 'DISABLED' }));
      await review(id);
      expect((await session(id)).state).toBe('cut');
      const next = await asker();
      await approvedFor(demo, next.login);
      const other = await live(next.login);
      const opened = kit.clock.now();
      kit.clock.advance(20 * 60);
      await approvedFor(demo, next.login);
      kit.clock.advance(-HOUR);
      await review(other);
      const after = await session(other);
      expect(after.expires_at).toBeLessThanOrEqual(plus(opened, seconds(20 * 60 + PERIOD)));
      kit.clock.advance(HOUR);
    });
  });

  describe('request types that change while requests run', () => {
    it('retired and published again, or published twice: an approval of the old version opens nothing', async () => {
      await askOf(demo, { any: 1, of: ['manager'] });
      kit.clock.advance(1);
      const self = await asker();
      const request = await raisedBy(demo, self.login);
      await askOf(demo, { any: 2, of: ['group:linux-approvers', 'manager'] });
      must(await decide(demo.service, demo.tokens.dana, request));
      const method = await methodFor(demo, self.login);
      expect(method.allowed).toBe(false);
      const retired = await call('sam', 'DELETE', `/request_types/${demo.ids.request_type}`);
      expect(codeOf(retired)).toBe('state_conflict');
      await askOf(demo, { any: 1, of: ['manager'] });
      expect((await methodFor(demo, self.login)).allowed).toBe(false);
    });

    it('nobody but a security_admin edits, retires, publishes or lints one', async () => {
      const id = demo.ids.request_type;
      for (const login of ['ellis', 'dana', 'pat'])
        for (const [method, path, body] of [
          ['PUT', `/request_types/${id}`, {}],
          ['DELETE', `/request_types/${id}`, undefined],
          ['POST', `/request_types/${id}/publish`, undefined],
          ['GET', '/request_types/lint', undefined],
        ] as const)
          expect([login, path, codeOf(await call(login, method, path, body))]).toEqual([
            login,
            path,
            'not_permitted',
          ]);
    });
  });
});
