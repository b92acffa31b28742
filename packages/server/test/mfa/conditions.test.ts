import { seconds } from '@postern/shared';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { apply, approvedFor, codeOf, decide, makeUser, raised, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { loginAs, prove, type TestLogin } from '../kit/mfa.ts';
import { must } from '../kit/service.ts';
import { approvalFor, methodsFor, mfa, open, ruled } from './scene.ts';

onBoth('MFA as a condition', (kit) => {
  const demo = withDemo(kit);
  let ellis: TestLogin;
  beforeEach(async () => {
    ellis = await loginAs(kit, demo, 'ellis');
  });

  describe('within 15 min', () => {
    beforeAll(() => ruled(demo, { R: [mfa(900)] }));

    it('without a proof: listed with what it needs, and opening is mfa_required', async () => {
      expect((await methodsFor(demo, ellis))[0]).toMatchObject({
        allowed: false,
        conditionals: [{ type: 'mfa', condition_is_met: false, description: 'MFA within 15 min' }],
      });
      const { response } = await open(demo, ellis);
      expect([response.statusCode, response.json()]).toEqual([
        403,
        expect.objectContaining({ code: 'mfa_required', acr_values: 'any' }),
      ]);
    });

    it('a proof of this login opens until the instant at which it is 15 min old', async () => {
      await prove(kit, ellis);
      await demo.service.settled();
      const [method] = await methodsFor(demo, ellis);
      expect(Date.parse(method?.expires_at ?? '')).toBe(kit.clock.now() + 900_000);
      kit.clock.advance(899.999);
      const last = await open(demo, ellis);
      expect(last.code).toBe('201');
      expect(codeOf(await last.admit())).toBe('200');
      kit.clock.advance(0.001);
      expect((await open(demo, ellis)).code).toBe('mfa_required');
      expect((await methodsFor(demo, ellis))[0]?.allowed).toBe(false);
    });

    it('what passed between opening and admission: not admitted', async () => {
      await prove(kit, ellis);
      kit.clock.advance(880);
      const opened = await open(demo, ellis);
      kit.clock.advance(20);
      await demo.gateway.renew();
      expect(codeOf(await opened.admit())).toBe('not_permitted');
    });

    it('the session lasts as long as the session may, not as the proof', async () => {
      await prove(kit, ellis);
      const { session } = await open(demo, ellis);
      expect(Date.parse(session.expires_at)).toBe(kit.clock.now() + 8 * 3_600_000);
    });

    it('a proof of another login of the same person opens nothing', async () => {
      await prove(kit, await loginAs(kit, demo, 'ellis'));
      expect((await open(demo, ellis)).code).toBe('mfa_required');
      await demo.service.settled();
      expect((await methodsFor(demo, ellis))[0]?.allowed).toBe(false);
    });

    it('a proof of another person opens nothing, also in his own name for this login', async () => {
      const dana = await loginAs(kit, demo, 'dana');
      await prove(kit, dana);
      await prove(kit, { ...ellis, user_id: dana.user_id });
      expect((await open(demo, ellis)).code).toBe('mfa_required');
    });

    it('a token that was made, and no login, has no proof', async () => {
      await prove(kit, ellis);
      expect((await open(demo, { token: demo.tokens.ellis! })).code).toBe('mfa_required');
      const row = { kind: 'static' as const };
      await kit.db.sql.updateTable('tokens').set(row).where('id', '=', ellis.id).execute();
      expect((await open(demo, ellis)).code).toBe('mfa_required');
    });

    it('after logging out the proof is gone: nothing opened is admitted', async () => {
      await prove(kit, ellis);
      const opened = await open(demo, ellis);
      must(await demo.service.call(ellis.token, 'DELETE', `/tokens/${ellis.id}`));
      expect(codeOf(await opened.admit())).toBe('not_permitted');
      expect(codeOf(await demo.service.call(ellis.token, 'GET', '/whoami'))).toBe(
        'unauthenticated',
      );
    });

    it('a clock that stepped back: a proof from the future counts for nothing', async () => {
      kit.clock.advance(60);
      await prove(kit, ellis);
      kit.clock.advance(-30);
      expect((await open(demo, ellis)).code).toBe('mfa_required');
      kit.clock.advance(30);
      expect((await open(demo, ellis)).code).toBe('201');
    });

    it('no proof is written down for later: it counts from now', async () => {
      const { recordProof } = await import('../../src/mfa/index.ts');
      const at = (kit.clock.now() + 60_000) as never;
      const proof = { user_id: ellis.user_id, token_id: ellis.id, acr: 'any' as const, at };
      await kit.transact((tx) => recordProof(tx, proof));
      kit.clock.advance(900);
      expect((await open(demo, ellis)).code).toBe('mfa_required');
    });
  });

  it('phishing-resistant: a code does not do; a passkey does for both', async () => {
    await ruled(demo, { R: [mfa(900, 'phr')] });
    await prove(kit, ellis, 'any');
    const { response } = await open(demo, ellis);
    expect(response.json()).toMatchObject({ code: 'mfa_required', acr_values: 'phr' });
    await prove(kit, ellis, 'phr');
    expect((await open(demo, ellis)).code).toBe('201');
    await ruled(demo, { R: [mfa(900, 'any')] });
    const other = await loginAs(kit, demo, 'ellis');
    await prove(kit, other, 'phr');
    expect((await open(demo, other)).code).toBe('201');
  });

  it('somebody else’s access is shown without his proofs', async () => {
    await ruled(demo, { R: [mfa(900)] });
    await prove(kit, ellis);
    await demo.service.settled();
    const body = { server_id: demo.ids.server, user_id: ellis.user_id };
    const seen = must(await demo.service.call(demo.tokens.sam, 'POST', '/evaluate', body));
    expect(seen.user_access_methods).toMatchObject([{ allowed: false }]);
  });

  describe('five rules, as Okta publishes them', () => {
    const DIRECTOR = 'Director approval';
    beforeAll(async () => {
      await apply(demo, 'sam', [
        {
          kind: 'RequestType',
          name: DIRECTOR,
          purpose: 'server_access',
          audience: 'everyone',
          fields: [{ key: 'justification', prompt: 'Why?', type: 'text', required: true }],
          steps: [{ name: 'One', needs: { any: 1, of: ['manager'] } }],
          on_approved: ['grant_access'],
        },
      ]);
      await ruled(demo, {
        R1: [approvalFor(30), mfa(900, 'phr')],
        R2: [approvalFor(45), mfa(600, 'phr')],
        R3: [approvalFor(60, DIRECTOR), mfa(480, 'phr')],
        R4: [approvalFor(15, DIRECTOR)],
        R5: [mfa(300, 'phr')],
      });
    });

    /** On a request of the manager's type: R1 and R2 ask for it. */
    async function managerApproves(login: string) {
      const methods = await methodsFor(demo, { token: demo.tokens[login]! });
      const method = methods.find((m) => JSON.stringify(m).includes('Server access approval'))!;
      const request = await raised(demo.service, demo.tokens[login], method);
      must(await decide(demo.service, demo.tokens.dana, request));
    }

    /** Somebody whose manager approved so many minutes ago, and who proved himself so many ago. */
    async function after(approved: number, proven: number): Promise<TestLogin> {
      const login = `five-${approved}-${proven}`;
      await makeUser(demo, login, { manager: 'dana', groups: ['linux-users'] });
      kit.clock.advance(1);
      const steps = [
        [approved, () => managerApproves(login)],
        [proven, async () => prove(kit, who, 'phr')],
      ] as const;
      const who = await loginAs(kit, demo, login);
      let left = Math.max(approved, proven);
      for (const [ago, act] of steps.toSorted(([a], [b]) => b - a)) {
        kit.clock.advance((left - ago) * 60);
        left = ago;
        await act();
      }
      kit.clock.advance(left * 60);
      await demo.service.settled();
      return who;
    }
    const names = async (who: TestLogin) => {
      const row = await kit.db.sql
        .selectFrom('security_policies')
        .select('definition')
        .executeTakeFirstOrThrow();
      const { rules } = row.definition as { rules: { id: string; name: string }[] };
      const of = (id: string) => rules.find((rule) => rule.id === id)?.name;
      const methods = await methodsFor(demo, who);
      expect(methods).toHaveLength(5);
      return methods.filter((m) => m.allowed).flatMap((m) => m.rule_ids.map(of));
    };

    it('approval 35 min and proof 7 min old: R2 only, for ten minutes of the approval', async () => {
      const who = await after(35, 7);
      expect(await names(who)).toEqual(['R2']);
      const { session, code } = await open(demo, who);
      expect(code).toBe('201');
      expect(Date.parse(session.expires_at)).toBe(kit.clock.now() + 600_000);
    });

    it('approval 35 min and proof 4 min old: R2 and R5', async () => {
      const who = await after(35, 4);
      expect(await names(who)).toEqual(['R2', 'R5']);
      expect((await open(demo, who)).code).toBe('201');
    });

    it('approval 28 min and proof 70 min old: denied', async () => {
      const who = await after(28, 70);
      expect(await names(who)).toEqual([]);
      expect((await open(demo, who)).code).toBe('mfa_required');
    });
  });

  it('no session lasts longer than its approval because its MFA is fresh', async () => {
    await ruled(demo, { R: [approvalFor(30), mfa(3600)] });
    await makeUser(demo, 'kept', { manager: 'dana', groups: ['linux-users'] });
    kit.clock.advance(1);
    await approvedFor(demo, 'kept');
    const who = await loginAs(kit, demo, 'kept');
    kit.clock.advance(60);
    await prove(kit, who);
    const { session } = await open(demo, who);
    expect(Date.parse(session.expires_at)).toBe(kit.clock.now() + seconds(29 * 60) * 1000);
  });
});
