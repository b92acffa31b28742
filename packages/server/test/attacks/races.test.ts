import { generateEd25519, plus, seconds, signSessionProof } from '@postern/shared';
import type { LightMyRequestResponse } from 'fastify';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { finishDue } from '../../src/requests/service-end.ts';
import {
  approvedFor,
  askOf,
  codeOf,
  decide,
  makeUser,
  methodFor,
  raisedBy,
  withDemo,
} from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, TEAM } from '../kit/service.ts';
import {
  enrolTestGateway,
  openAs,
  type SessionKey,
  signIn,
  type TestGateway,
} from '../kit/sessions.ts';

const POSTGRES_ROUNDS = Number(process.env.POSTERN_RACE_ROUNDS ?? 10);

// As many rounds of each as a run may take; POSTERN_RACE_ROUNDS=1000 goes deeper.
vi.setConfig({ testTimeout: 240_000 + POSTGRES_ROUNDS * 1_000 });

/** What the log says of a request that was decided once. */
const DECIDED = ['access.request.create', 'access.request.decide', 'access.request.resolve'];

onBoth('attack 3: at once', (kit) => {
  const demo = withDemo(kit);
  const rounds = () => (kit.kind === 'postgres' ? POSTGRES_ROUNDS : 10);
  const call = (login: string, method: 'GET' | 'POST' | 'PATCH', path: string, body?: unknown) =>
    demo.service.call(demo.tokens[login], method, path, body);
  const all = <T>(...acts: (() => Promise<T>)[]): Promise<T[]> =>
    Promise.all(acts.map((act) => act()));
  const codes = (responses: LightMyRequestResponse[]) => responses.map(codeOf).sort();
  const times = async (act: (round: number) => Promise<void>) => {
    for (let round = 0; round < rounds(); round++) await act(round);
  };

  beforeAll(async () => {
    await askOf(demo, { any: 1, of: ['manager', 'group:linux-approvers'] });
    // Rounds that wait for something to be over move the clock by days.
    await kit.db.sql
      .updateTable('tokens')
      .set({ expires_at: plus(kit.clock.now(), seconds(10_000 * 86_400)) })
      .execute();
    kit.clock.advance(1);
  });
  beforeEach(async () => {
    await demo.gateway.renew();
  });

  /** What one request left behind. */
  async function traces(id: string) {
    const { sql } = kit.db;
    const history = await sql
      .selectFrom('access_request_history')
      .select(['from_state', 'to_state', 'seq'])
      .where('request_id', '=', id)
      .orderBy('seq')
      .execute();
    const approvals = await sql
      .selectFrom('approvals')
      .select(['revoked_at', 'ended_at'])
      .where('request_id', '=', id)
      .execute();
    const events = await sql
      .selectFrom('audit_events')
      .select(['type', 'outcome'])
      .where('request_id', '=', id)
      .where('type', 'like', 'access.request.%')
      .execute();
    const decisions = await sql
      .selectFrom('access_request_decisions')
      .select('decision')
      .where('request_id', '=', id)
      .execute();
    const request = await stateOf(id);
    return {
      state: request.state,
      seq: request.seq,
      path: history.map((row) => row.to_state).join(' → '),
      history: history.length,
      approvals: approvals.length,
      decisions: decisions.length,
      events: events.map((event) => event.type).sort(),
    };
  }

  /** Out of the way of the next round, which asks for the same. */
  const end = async (id: string): Promise<void> => {
    const { state } = await stateOf(id);
    if (state === 'approved') must(await call('sam', 'POST', `/access_requests/${id}/revoke`, {}));
    if (state === 'pending') must(await call('ellis', 'POST', `/access_requests/${id}/cancel`));
    // After a denial the same access waits a quarter of an hour.
    if (state === 'denied') kit.clock.advance(901);
    await demo.gateway.renew();
  };
  const stateOf = (id: string) =>
    kit.db.sql
      .selectFrom('access_requests')
      .select(['state', 'seq'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();

  it('many approvals: one is it, the others are told so', () =>
    times(async () => {
      const request = await raisedBy(demo, 'ellis');
      const said = await all(
        ...['dana', 'ana', 'bo', 'dana', 'ana'].map(
          (login) => () => decide(demo.service, demo.tokens[login], request),
        ),
      );
      expect(codes(said)).toEqual(['200', ...Array(4).fill('request_already_resolved')]);
      expect(await traces(request.id)).toMatchObject({
        path: 'pending → approved',
        approvals: 1,
        decisions: 1,
        events: DECIDED,
      });
      await end(request.id);
    }));

  it('an approval and a denial: one of them', () =>
    times(async () => {
      const request = await raisedBy(demo, 'ellis');
      const said = await all(
        () => decide(demo.service, demo.tokens.dana, request),
        () => decide(demo.service, demo.tokens.ana, request, { decision: 'deny' }),
      );
      expect(codes(said)).toEqual(['200', 'request_already_resolved']);
      const left = await traces(request.id);
      expect([left.decisions, left.history]).toEqual([1, 2]);
      expect(left.approvals).toBe(left.state === 'approved' ? 1 : 0);
      expect(left.events).toEqual(DECIDED);
      await end(request.id);
    }));

  it('an approval and a cancellation: one of them', () =>
    times(async () => {
      const request = await raisedBy(demo, 'ellis');
      const said = await all(
        () => decide(demo.service, demo.tokens.dana, request),
        () => call('ellis', 'POST', `/access_requests/${request.id}/cancel`),
      );
      expect(codes(said)).toEqual(['200', 'request_already_resolved']);
      const left = await traces(request.id);
      expect(['approved', 'canceled']).toContain(left.state);
      expect([left.approvals, left.history]).toEqual([left.state === 'approved' ? 1 : 0, 2]);
      expect(left.events).toEqual(
        left.state === 'approved' ? DECIDED : ['access.request.cancel', 'access.request.create'],
      );
      await end(request.id);
    }));

  it('an approval and the time-out of the step: one of them', () =>
    times(async () => {
      const request = await raisedBy(demo, 'ellis');
      kit.clock.advance(86_399);
      const said = await all(
        () => decide(demo.service, demo.tokens.dana, request),
        async () => {
          kit.clock.advance(1);
          await kit.transact((tx) => finishDue(tx, request.id));
          return call('uma', 'GET', `/access_requests/${request.id}`);
        },
      );
      const left = await traces(request.id);
      const won = codeOf(said[0]!) === '200';
      expect(['200', 'request_already_resolved', 'state_conflict']).toContain(codeOf(said[0]!));
      expect(left).toMatchObject({
        path: won ? 'pending → approved' : 'pending → expired',
        approvals: won ? 1 : 0,
        decisions: won ? 1 : 0,
        history: 2,
      });
      expect(left.events).toEqual(
        won ? DECIDED : ['access.request.create', 'access.request.expire'],
      );
      await end(request.id);
    }));

  it('two votes of a step that needs two: both count, and it is approved once', async () => {
    await askOf(demo, { any: 2, of: ['manager', 'group:linux-approvers'] });
    kit.clock.advance(1);
    await times(async () => {
      const request = await raisedBy(demo, 'ellis');
      const votes = () =>
        ['dana', 'ana', 'bo'].map((login) => async () => {
          const seen = await call('uma', 'GET', `/access_requests/${request.id}`);
          return decide(demo.service, demo.tokens[login], seen.json());
        });
      await all(...votes());
      const second = await all(...votes());
      expect(second.some((r) => r.statusCode >= 500)).toBe(false);
      await all(...votes());
      const left = await traces(request.id);
      expect([left.path, left.approvals, left.decisions]).toEqual(['pending → approved', 1, 2]);
      await end(request.id);
    });
    await askOf(demo, { any: 1, of: ['manager', 'group:linux-approvers'] });
    kit.clock.advance(1);
  });

  it('the same request raised at once is one request', () =>
    times(async () => {
      const method = await methodFor(demo, 'ellis');
      const raise = () => raisedBy(demo, 'ellis').then((r) => r.id);
      const ids = await all(raise, raise, raise);
      expect(new Set(ids).size).toBe(1);
      expect((await traces(ids[0]!)).events).toEqual(['access.request.create']);
      expect(method.identity).toBe('pamadmin1');
      await end(ids[0]!);
    }));

  it('an approver disabled while he decides: decided before, or not at all', async () => {
    await times(async (round) => {
      if (round >= rounds() / 2) return;
      const login = `quick${round}`;
      const id = await makeUser(demo, login, { groups: ['linux-approvers'] });
      kit.clock.advance(1);
      const request = await raisedBy(demo, 'ellis');
      const [decided, disabled] = await all(
        () => decide(demo.service, demo.tokens[login], request),
        () => call('pat', 'PATCH', `/users/${id}`, { status: 'DISABLED' }),
      );
      expect(disabled?.statusCode).toBe(200);
      const left = await traces(request.id);
      expect(left.approvals).toBe(decided?.statusCode === 200 ? 1 : 0);
      expect(['200', 'unauthenticated']).toContain(codeOf(decided!));
      await end(request.id);
    });
  });

  describe('sessions', () => {
    const sessions = (request_id: string) =>
      kit.db.sql
        .selectFrom('sessions')
        .select(['id', 'state', 'end_reason'])
        .where('request_id', '=', request_id)
        .execute();
    const open = async () =>
      openAs(demo.service, demo.tokens.ellis!, { ...(await methodFor(demo, 'ellis')) });
    const opened = async () => {
      const { response, key } = await open();
      return { id: (must(response).session as { id: string }).id, key };
    };
    const admit = ({ id, key }: { id: string; key: SessionKey }, through?: TestGateway) =>
      (through ?? demo.gateway).call('POST', '/gateway/admissions', signIn(id, key));
    const revoke = (id: string) => call('dana', 'POST', `/access_requests/${id}/revoke`, {});
    const issued = async (id: string) =>
      (
        await kit.db.sql
          .selectFrom('audit_events')
          .select('id')
          .where('type', '=', 'pam.user_creds.issue')
          .where('session_id', '=', id)
          .execute()
      ).length;

    it('two openings with one nonce, or one key: one session', () =>
      times(async () => {
        const request = await approvedFor(demo);
        const { server_id, identity, access_credential } = await methodFor(demo, 'ellis');
        const user_id = demo.ids.users.ellis!;
        const nonce = async () =>
          must(await call('ellis', 'POST', '/sessions/nonce')).nonce as string;
        const body = (fresh: ReturnType<typeof generateEd25519>, once: string) => {
          const fields = { server_id, identity, access_credential, nonce: once };
          const about = { team: TEAM, user_id, ...fields, public_key: fresh.public_line };
          const proof = signSessionProof(about as never, fresh.private);
          return { ...fields, public_key: fresh.public_line, proof };
        };
        const post = (sent: unknown) => () => call('ellis', 'POST', '/sessions', sent);
        const once = await nonce();
        const sameNonce = await all(
          post(body(generateEd25519(), once)),
          post(body(generateEd25519(), once)),
        );
        expect(codes(sameNonce)).toEqual(['201', 'invalid_request']);
        const key = generateEd25519();
        const [first, second] = [await nonce(), await nonce()];
        const sameKey = await all(post(body(key, first)), post(body(key, second)));
        expect(codes(sameKey)).toEqual(['201', 'invalid_request']);
        expect(await sessions(request.id)).toHaveLength(2);
        await end(request.id);
      }));

    it('two admissions of one session: one credential', () =>
      times(async () => {
        const request = await approvedFor(demo);
        const mine = await opened();
        const said = await all(
          () => admit(mine),
          () => admit(mine),
          () => admit(mine),
        );
        expect(codes(said)).toEqual(['200', 'not_permitted', 'not_permitted']);
        expect(await issued(mine.id)).toBe(1);
        await end(request.id);
      }));

    it('opening and revoking: refused, or ended with it', () =>
      times(async () => {
        const request = await approvedFor(demo);
        const [tried, revoked] = await all(
          async () => (await open()).response,
          () => revoke(request.id),
        );
        expect(codeOf(revoked!)).toBe('200');
        expect(['201', 'approval_required']).toContain(codeOf(tried!));
        for (const { state } of await sessions(request.id)) expect(state).toBe('abandoned');
        expect(codeOf((await open()).response)).toBe('approval_required');
        await end(request.id);
      }));

    it('admitting and revoking: not admitted, or cut; nothing lives once it is revoked', () =>
      times(async () => {
        const request = await approvedFor(demo);
        const mine = await opened();
        const [tried, revoked] = await all(
          () => admit(mine),
          () => revoke(request.id),
        );
        expect(codeOf(revoked!)).toBe('200');
        const [now] = await sessions(request.id);
        const admitted = tried?.statusCode === 200;
        expect(now).toMatchObject({
          state: admitted ? 'cut' : 'abandoned',
          end_reason: 'revoked',
        });
        expect(await issued(mine.id)).toBe(admitted ? 1 : 0);
        await end(request.id);
      }));

    it('admitting and disabling the user, or the gateway: the same', () =>
      times(async (round) => {
        if (round >= rounds() / 2) return;
        const login = `fast${round}`;
        const id = await makeUser(demo, login, { groups: ['linux-users'], manager: 'dana' });
        kit.clock.advance(1);
        // The newest lease is the one that is chosen.
        const other = await enrolTestGateway(kit, demo.service, demo.tokens, `gw${round}`);
        const mine = async () => {
          const method = { ...(await methodFor(demo, login)) };
          const { response, key } = await openAs(demo.service, demo.tokens[login]!, method);
          return { id: (must(response).session as { id: string }).id, key };
        };
        const request = await approvedFor(demo, login);
        const [first, second] = [await mine(), await mine()];
        const [a, b] = await all(
          () => admit(first, other),
          () => call('pat', 'POST', `/gateways/${other.id}/disable`),
          () => admit(second, other),
        );
        expect(codeOf(b!)).toBe('200');
        expect([200, 401, 403]).toContain(a?.statusCode);
        for (const { state, end_reason } of await sessions(request.id)) {
          expect(['cut', 'abandoned']).toContain(state);
          expect(end_reason).toBe('gateway_disabled');
        }
        await demo.gateway.renew();
        const third = await mine();
        const [, disabled] = await all(
          () => admit(third),
          () => call('pat', 'PATCH', `/users/${id}`, { status: 'DISABLED' }),
        );
        expect(codeOf(disabled!)).toBe('200');
        const left = await sessions(request.id);
        expect(left.filter(({ state }) => state === 'live' || state === 'opening')).toEqual([]);
      }));
  });

  it('at the end: no session without its approval, no approval without its history', async () => {
    const { sql } = kit.db;
    const requests = await sql.selectFrom('access_requests').select(['id', 'state']).execute();
    for (const { id, state } of requests) {
      const left = await traces(id);
      expect([left.path.split(' → ').at(-1), left.events.length > 0]).toEqual([state, true]);
      const granted = left.path.includes('approved') ? 1 : 0;
      expect([
        left.approvals,
        left.events.filter((e) => e === 'access.request.create').length,
      ]).toEqual([granted, 1]);
    }
    const live = await sql
      .selectFrom('sessions')
      .select('id')
      .where('state', 'in', ['opening', 'live'])
      .execute();
    expect(live).toEqual([]);
  });
});
