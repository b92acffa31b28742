import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Refusal } from '../../src/platform/errors.ts';
import { codeOf, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import {
  bodyFor,
  challenge,
  challenged,
  loginAs,
  sendCode,
  stateOf,
  type TestLogin,
} from '../kit/mfa.ts';
import { must } from '../kit/service.ts';
import { methodsFor, mfa, open, ruled } from './scene.ts';

onBoth('a challenge', (kit) => {
  const demo = withDemo(kit);
  let ellis: TestLogin;
  let body: ReturnType<typeof bodyFor>;
  beforeAll(() => ruled(demo, { R: [mfa(900)] }));
  beforeEach(async () => {
    // Nothing of the test before waits any more, nor counts.
    kit.clock.advance(3_601);
    demo.service.clock.refusal = undefined;
    ellis = await loginAs(kit, demo, 'ellis');
    demo.service.factors.apps.add(ellis.user_id);
    demo.service.factors.passkeys.delete(ellis.user_id);
    body = bodyFor((await methodsFor(demo, ellis))[0]!);
  });
  const code = () => demo.service.factors.code(ellis.user_id);
  const ask = (more: object = {}) => challenged(demo, ellis, { ...body, ...more });
  const answered = async (id: string, text: string) => must(await sendCode(demo, ellis, id, text));

  it('answers where to prove oneself, where to look, until when, and whether a code does', async () => {
    expect(await ask()).toEqual({
      mfa_id: expect.any(String),
      redirect_url: expect.stringMatching(
        /^https:\/\/postern\.example\.test\/mfa\/[A-Za-z0-9_-]{43}$/,
      ),
      polling_url: expect.stringMatching(
        /^https:\/\/postern\.example\.test\/v1\/teams\/demo\/mfa_approvals\/[0-9a-f-]{36}\/state$/,
      ),
      expires_at: new Date(kit.clock.now() + 300_000).toISOString(),
      takes_code: true,
    });
  });

  it('with the right code: approved, and the connection is open', async () => {
    const { mfa_id } = await ask();
    expect(await stateOf(demo, ellis, mfa_id)).toBe('pending');
    expect(await answered(mfa_id, code())).toEqual({ state: 'approved', tries_left: 0 });
    expect(await stateOf(demo, ellis, mfa_id)).toBe('approved');
    expect((await open(demo, ellis)).code).toBe('201');
  });

  describe('is single use', () => {
    it('answered again: it stays approved, and there is one proof', async () => {
      const { mfa_id } = await ask();
      await answered(mfa_id, code());
      const kept = code();
      expect(await answered(mfa_id, kept)).toEqual({ state: 'approved', tries_left: 0 });
      const proofs = await kit.db.sql
        .selectFrom('mfa_proofs')
        .select('id')
        .where('challenge_id', '=', mfa_id)
        .execute();
      expect(proofs).toHaveLength(1);
      // What was sent to one that is over is not used up.
      expect(await answered((await ask()).mfa_id, kept)).toMatchObject({ state: 'approved' });
    });

    it('a code that served does not serve for another', async () => {
      const used = code();
      await answered((await ask()).mfa_id, used);
      expect(await answered((await ask()).mfa_id, used)).toEqual({
        state: 'pending',
        tries_left: 4,
      });
    });

    it('two right codes at once: one proof', async () => {
      const { mfa_id } = await ask();
      await Promise.all([answered(mfa_id, code()), answered(mfa_id, code())]);
      const proofs = await kit.db.sql
        .selectFrom('mfa_proofs')
        .select('id')
        .where('challenge_id', '=', mfa_id)
        .execute();
      expect(proofs).toHaveLength(1);
    });
  });

  describe('guessing codes', () => {
    it('the fifth wrong one ends it, also for the right one', async () => {
      const { mfa_id } = await ask();
      for (const left of [4, 3, 2, 1])
        expect(await answered(mfa_id, '000000')).toEqual({ state: 'pending', tries_left: left });
      expect(await answered(mfa_id, '000000')).toEqual({ state: 'failed', tries_left: 0 });
      expect(await answered(mfa_id, code())).toEqual({ state: 'failed', tries_left: 0 });
      expect(await stateOf(demo, ellis, mfa_id)).toBe('failed');
      expect((await open(demo, ellis)).code).toBe('mfa_required');
    });

    it('many at once count each', async () => {
      const { mfa_id } = await ask();
      await Promise.all(Array.from({ length: 8 }, () => answered(mfa_id, '000000')));
      const row = await kit.db.sql
        .selectFrom('mfa_challenges')
        .select(['wrong_codes', 'state'])
        .where('id', '=', mfa_id)
        .executeTakeFirstOrThrow();
      expect(row).toEqual({ wrong_codes: 5, state: 'failed' });
    });

    it('ever new challenges do not help: ten wrong ones an hour, over all his logins', async () => {
      for (let i = 0; i < 10; i++) await answered((await ask()).mfa_id, '000000').then(over);
      const other = await loginAs(kit, demo, 'ellis');
      const { mfa_id } = await challenged(demo, other, body);
      expect(must(await sendCode(demo, other, mfa_id, code()))).toEqual({
        state: 'failed',
        tries_left: 0,
      });
      kit.clock.advance(3_601);
      expect(await answered((await ask()).mfa_id, code())).toMatchObject({ state: 'approved' });
    });

    it('what is no code is refused by its schema, and counts for nothing', async () => {
      const { mfa_id } = await ask();
      for (const text of ['', '12345', '1234567', 'abcdef', '１２３４５６'])
        expect(codeOf(await sendCode(demo, ellis, mfa_id, text))).toBe('invalid_request');
      expect(await answered(mfa_id, '000000')).toMatchObject({ tries_left: 4 });
    });
    /** What waits is over, so that the next one is not one too many. */
    const over = async () => {
      await kit.db.sql
        .updateTable('mfa_challenges')
        .set({ expires_at: kit.clock.now(), created_at: (kit.clock.now() - 1) as never })
        .where('state', '=', 'pending')
        .execute();
    };
  });

  it('expires with its five minutes, and the code stays good', async () => {
    const { mfa_id } = await ask();
    kit.clock.advance(299.999);
    expect(await stateOf(demo, ellis, mfa_id)).toBe('pending');
    kit.clock.advance(0.001);
    expect(await stateOf(demo, ellis, mfa_id)).toBe('expired');
    const kept = code();
    expect(await answered(mfa_id, kept)).toEqual({ state: 'expired', tries_left: 0 });
    expect(await answered((await ask()).mfa_id, kept)).toMatchObject({ state: 'approved' });
  });

  it('at most five wait for one person', async () => {
    const all = [];
    for (let i = 0; i < 6; i++) all.push(codeOf(await challenge(demo, ellis, body)));
    expect(all).toEqual(['201', '201', '201', '201', '201', 'rate_limited']);
    kit.clock.advance(300);
    expect(codeOf(await challenge(demo, ellis, body))).toBe('201');
  });

  describe('is for its own login only', () => {
    it('to another login of the same person, and to others, there is none', async () => {
      const { mfa_id } = await ask();
      const again = await loginAs(kit, demo, 'ellis');
      const dana = await loginAs(kit, demo, 'dana');
      demo.service.factors.apps.add(dana.user_id);
      for (const who of [again, dana]) {
        const state = await demo.service.call(who.token, 'GET', `/mfa_approvals/${mfa_id}/state`);
        expect(codeOf(state)).toBe('not_found');
        const own = demo.service.factors.code(who.user_id);
        expect(codeOf(await sendCode(demo, who, mfa_id, own))).toBe('not_found');
      }
      expect(await stateOf(demo, ellis, mfa_id)).toBe('pending');
    });

    it('another person’s code answers nothing', async () => {
      const { mfa_id } = await ask();
      const dana = await loginAs(kit, demo, 'dana');
      demo.service.factors.apps.add(dana.user_id);
      const hers = demo.service.factors.code(dana.user_id);
      expect(await answered(mfa_id, hers)).toEqual({ state: 'pending', tries_left: 4 });
    });

    it('after logging out it is over', async () => {
      const { mfa_id } = await ask();
      must(await demo.service.call(ellis.token, 'DELETE', `/tokens/${ellis.id}`));
      expect(codeOf(await sendCode(demo, ellis, mfa_id, code()))).toBe('unauthenticated');
    });

    it('a token that was made, and no login, gets none', async () => {
      const made = { token: demo.tokens.ellis! };
      expect(codeOf(await challenge(demo, made, body))).toBe('not_permitted');
    });
  });

  describe('is refused', () => {
    it('for what the person cannot reach, as for what does not exist', async () => {
      const pat = await loginAs(kit, demo, 'pat');
      demo.service.factors.apps.add(pat.user_id);
      const gone = { ...body, server_id: kit.ids.uuid() };
      const answers = [await challenge(demo, ellis, gone), await challenge(demo, pat, body)];
      const said = answers.map((a) => ({ ...a.json(), trace_id: '' }));
      expect(said[0].code).toBe('not_found');
      expect(said[1]).toEqual(said[0]);
      expect(codeOf(await challenge(demo, ellis, { ...body, identity: 'root' }))).toBe('not_found');
    });

    it('for nothing, for half of something, for two things', async () => {
      const { identity: _, ...half } = body;
      const request_id = kit.ids.uuid();
      for (const what of [{ acr: 'any' }, half, { ...body, request_id }])
        expect(codeOf(await challenge(demo, ellis, what))).toBe('invalid_request');
      expect(codeOf(await challenge(demo, ellis, { ...body, acr: 'strong' }))).toBe(
        'invalid_request',
      );
    });

    it('for a request that is not his to decide', async () => {
      await ruled(demo, {
        R: [
          {
            condition_type: 'access_request',
            request_type: { name: 'Server access approval' },
            expires_after_seconds: 600,
          },
        ],
      });
      const request = await raisedBy(demo, 'ellis');
      const what = { acr: 'any', request_id: request.id };
      expect(codeOf(await challenge(demo, ellis, what))).toBe('not_found');
      const dana = await loginAs(kit, demo, 'dana');
      demo.service.factors.apps.add(dana.user_id);
      expect(codeOf(await challenge(demo, dana, what))).toBe('201');
      await ruled(demo, { R: [mfa(900)] });
    });

    it('where the person has nothing to answer it with, saying where to add it', async () => {
      const { apps } = demo.service.factors;
      apps.delete(ellis.user_id);
      const none = await challenge(demo, ellis, body);
      expect(none.json()).toMatchObject({
        code: 'state_conflict',
        next: 'Add one: https://postern.example.test/account',
      });
      apps.add(ellis.user_id);
      const phr = await challenge(demo, ellis, { ...body, acr: 'phr' });
      expect(phr.json()).toMatchObject({ code: 'state_conflict', detail: /passkey/ });
      demo.service.factors.passkeys.add(ellis.user_id);
      const taken = await ask({ acr: 'phr' });
      expect(taken.takes_code).toBe(false);
      // A code that is right is not even looked at, and stays good.
      const kept = code();
      expect(await answered(taken.mfa_id, kept)).toEqual({ state: 'pending', tries_left: 5 });
      expect(await answered((await ask()).mfa_id, kept)).toMatchObject({ state: 'approved' });
    });

    it('while the clock cannot be trusted, to ask and to answer', async () => {
      const { mfa_id } = await ask();
      demo.service.clock.refusal = new Refusal('clock_unsafe', 'The clock stepped back.');
      expect(codeOf(await challenge(demo, ellis, body))).toBe('clock_unsafe');
      expect(codeOf(await sendCode(demo, ellis, mfa_id, code()))).toBe('clock_unsafe');
    });
  });

  it('is on record, with who answered it and how; no code and no address of a page is', async () => {
    const made = await ask();
    const right = code();
    await answered(made.mfa_id, '987654');
    await answered(made.mfa_id, right);
    const events = await kit.db.sql.selectFrom('audit_events').selectAll().orderBy('id').execute();
    const mine = events.filter((e) => JSON.stringify(e.targets).includes(made.mfa_id));
    expect(mine.map(({ type, outcome, details }) => [type, outcome, details])).toMatchObject([
      ['pam.mfa.challenge.create', { result: 'success' }, { acr: 'any', identity: 'pamadmin1' }],
      [
        'user.authentication.auth_via_mfa',
        { result: 'failure', reason: 'wrong_code' },
        expect.anything(),
      ],
      ['user.authentication.auth_via_mfa', { result: 'success' }, { acr: 'any' }],
    ]);
    const secret = made.redirect_url!.split('/').at(-1)!;
    const rows = await kit.db.sql.selectFrom('mfa_challenges').selectAll().execute();
    const all = [...demo.service.lines, JSON.stringify(events), JSON.stringify(rows)].join('\n');
    expect(all).toContain(made.mfa_id);
    for (const text of [secret, right, '987654']) expect(all).not.toContain(text);
  });
});
