import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startReviews } from '../../src/sessions/index.ts';
import { reviewSession } from '../../src/sessions/service-cut.ts';
import { apply, codeOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { LONGEST_SESSION, must } from '../kit/service.ts';
import { openAs, type SessionKey, signIn } from '../kit/sessions.ts';
import { reviewsOnSignals } from '../kit/still.ts';
import { approvedCases } from './cases.ts';
import { type Case, CHANGES, call, conditions, heard, withRules } from './changes.ts';

onBoth('attack 7: what changes between approval, opening and admission', (kit) => {
  const demo = withDemo(kit);
  const approvedCase = approvedCases(kit, demo);
  let reviews: ReturnType<typeof startReviews> | undefined;
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);

  const open = async (c: Case) => openAs(demo.service, demo.tokens[c.login]!, c.method);
  const opened = async (c: Case): Promise<{ id: string; key: SessionKey }> => {
    const { response, key } = await open(c);
    return { id: (must(response).session as { id: string }).id, key };
  };
  const admit = ({ id, key }: { id: string; key: SessionKey }) =>
    demo.gateway.call('POST', '/gateway/admissions', signIn(id, key));
  const session = (id: string) =>
    kit.db.sql
      .selectFrom('sessions')
      .select(['state', 'end_reason'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
  /** Reviews as the service runs them, on signals alone. */
  beforeEach(async () => {
    reviews = await reviewsOnSignals(kit, demo.service, onError);
  });
  afterEach(async () => {
    await reviews?.stop();
    expect(errors).toEqual([]);
  });
  const stopReviews = async () => {
    await reviews?.stop();
    reviews = undefined;
  };

  it('nothing changed: it opens, is admitted, and goes on', async () => {
    const c = await approvedCase();
    const mine = await opened(c);
    expect(codeOf(await admit(mine))).toBe('200');
    await new Promise((done) => setTimeout(done, 300));
    expect(await session(mine.id)).toEqual({ state: 'live', end_reason: null });
  });

  describe.each(CHANGES)('$name', ({ act, refused, cut }) => {
    it(`between approval and opening: ${refused}`, async () => {
      const c = await approvedCase();
      const { server_id, identity, access_credential } = c.method;
      await act(demo, c, kit);
      if (refused === 'unauthenticated') {
        const me = await demo.service.call(demo.tokens[c.login], 'GET', '/whoami');
        return expect(codeOf(me)).toBe(refused);
      }
      const { response } = await openAs(demo.service, demo.tokens[c.login]!, {
        server_id,
        identity,
        access_credential,
      });
      expect(codeOf(response)).toBe(refused);
    });

    it('between opening and admission: not admitted', async () => {
      await stopReviews(); // alone, admission must see it
      const c = await approvedCase();
      const mine = await opened(c);
      await act(demo, c, kit);
      const refusedThen = await admit(mine);
      expect(codeOf(refusedThen)).toBe('not_permitted');
      expect(refusedThen.body).not.toContain('pw of');
      expect((await session(mine.id)).state).not.toBe('live');
      const issued = await kit.db.sql
        .selectFrom('audit_events')
        .select('type')
        .where('session_id', '=', mine.id)
        .where('type', 'like', 'pam.user_creds.%')
        .execute();
      expect(issued.map(({ type }) => type)).toEqual(['pam.user_creds.refuse']);
    });

    it(`while live: ${cut === undefined ? 'goes on' : `cut, ${cut}`}`, async () => {
      const c = await approvedCase();
      const mine = await opened(c);
      must(await admit(mine));
      // No signal tells of the end of its time; whoever looks for it finds it.
      if (cut === 'expired') {
        await stopReviews();
        reviews = startReviews({
          transact: kit.transact,
          signals: demo.service.signals,
          longestSession: LONGEST_SESSION,
          onError,
        });
      }
      await act(demo, c, kit);
      await expect
        .poll(() => session(mine.id), { interval: 20 })
        .toEqual({ state: 'cut', end_reason: cut });
      const lease = must(await demo.gateway.renew([mine.id])) as { cut: { reason: string }[] };
      expect(lease.cut.map(({ reason }) => reason)).toEqual([cut]);
    });
  });

  it('at its end a session is cut as expired, whoever finds it first', async () => {
    await stopReviews();
    const c = await approvedCase();
    const mine = await opened(c);
    must(await admit(mine));
    kit.clock.advance(1800);
    await kit.transact((tx) => reviewSession(tx, LONGEST_SESSION, mine.id));
    expect(await session(mine.id)).toEqual({ state: 'cut', end_reason: 'expired' });
    await heard(kit);
  });

  it('fewer channels: admitted with those only; with none of them left, or less when live, not', async () => {
    const c = await approvedCase();
    const mine = await opened(c);
    const narrow = (channels: string[]) =>
      apply(demo, 'sam', [
        withRules(c, (rule) => ({
          ...rule,
          privileges: [{ privilege_type: 'vaulted_account_ssh', channels }],
        })),
      ]);
    await stopReviews();
    await narrow(['exec', 'sftp']);
    const other = await admit(mine);
    // sftp was not on the card: the approval does not cover the rule as it is now.
    expect(codeOf(other)).toBe('not_permitted');
    await narrow(['exec']);
    const admitted = await admit(mine);
    expect(admitted.json().channels).toEqual(['exec']);
  });

  it('fewer channels while live: cut', async () => {
    const c = await approvedCase();
    const mine = await opened(c);
    must(await admit(mine));
    await apply(demo, 'sam', [
      withRules(c, (rule) => ({
        ...rule,
        privileges: [{ privilege_type: 'vaulted_account_ssh', channels: ['exec'] }],
      })),
    ]);
    await expect
      .poll(() => session(mine.id), { interval: 20 })
      .toEqual({ state: 'cut', end_reason: 'policy_changed' });
  });

  it('recording demanded while live: cut where nothing is recorded, goes on where it is', async () => {
    const demanded = [
      ...conditions(),
      { condition_type: 'gateway', traffic_forwarding: true, session_recording: true },
    ];
    const c = await approvedCase();
    const before = await opened(c);
    expect(must(await admit(before)).recorded).toBe(false);
    await apply(demo, 'sam', [withRules(c, (rule) => ({ ...rule, conditions: demanded }))]);
    await expect
      .poll(() => session(before.id), { interval: 20 })
      .toEqual({ state: 'cut', end_reason: 'policy_changed' });
    const after = await opened(c);
    expect(must(await admit(after)).recorded).toBe(true);
    await kit.transact((tx) => reviewSession(tx, LONGEST_SESSION, after.id));
    expect((await session(after.id)).state).toBe('live');
  });

  it('recording demanded between opening and admission: it is recorded', async () => {
    const c = await approvedCase();
    const mine = await opened(c);
    const demanded = [
      ...conditions(),
      { condition_type: 'gateway', traffic_forwarding: true, session_recording: true },
    ];
    await apply(demo, 'sam', [withRules(c, (rule) => ({ ...rule, conditions: demanded }))]);
    await kit.transact((tx) => reviewSession(tx, LONGEST_SESSION, mine.id));
    expect(must(await admit(mine)).recorded).toBe(true);
  });

  it('SSH from elsewhere than the policy allows, though the call came from there: not admitted', async () => {
    const c = await approvedCase();
    const local = [...conditions(), { condition_type: 'source_address', cidrs: ['127.0.0.0/8'] }];
    await apply(demo, 'sam', [withRules(c, (rule) => ({ ...rule, conditions: local }))]);
    const stolen = await opened(c);
    const elsewhere = { ...signIn(stolen.id, stolen.key), client_address: '203.0.113.9' };
    const refused = await demo.gateway.call('POST', '/gateway/admissions', elsewhere);
    expect(codeOf(refused)).not.toBe('200');
    expect((await session(stolen.id)).state).not.toBe('live');
    expect(codeOf(await admit(await opened(c)))).toBe('200');
  });

  describe('the token that opened it', () => {
    it('revoked, or over, before admission: not admitted', async () => {
      for (const way of ['revoked', 'over'] as const) {
        const c = await approvedCase();
        const token = must(
          await demo.service.call(demo.tokens[c.login], 'POST', '/tokens', {
            name: 'short',
            expires_in_seconds: 60,
          }),
        ) as { token: string; id: string };
        kit.clock.advance(30);
        await demo.gateway.renew();
        const { response, key } = await openAs(demo.service, token.token, c.method);
        const { session: made } = must(response) as { session: { id: string } };
        if (way === 'over') kit.clock.advance(30);
        else await call(demo, c.login, 'DELETE' as never, `/tokens/${token.id}`);
        expect(codeOf(await admit({ id: made.id, key }))).toBe('not_permitted');
      }
    });
  });

  it('a minute after opening it is too late to be admitted', async () => {
    const c = await approvedCase();
    const mine = await opened(c);
    kit.clock.advance(60);
    await demo.gateway.renew();
    expect(codeOf(await admit(mine))).toBe('not_permitted');
  });

  it('the gateway disabled: its session is cut, and it gets nothing any more', async () => {
    const c = await approvedCase();
    const [live, opening] = [await opened(c), await opened(c)];
    must(await admit(live));
    await call(demo, 'pat', 'POST' as never, `/gateways/${demo.gateway.id}/disable`);
    expect(await session(live.id)).toEqual({ state: 'cut', end_reason: 'gateway_disabled' });
    expect((await session(opening.id)).state).toBe('abandoned');
    expect(codeOf(await admit(opening))).toBe('unauthenticated');
    expect(codeOf((await open(c)).response)).toBe('unavailable');
  });
});
