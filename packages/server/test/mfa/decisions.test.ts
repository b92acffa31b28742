import type { AccessRequest } from '@postern/shared';
import { beforeEach, expect, it } from 'vitest';
import { askOf, codeOf, decide, makeUser, raisedBy, show, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { challenged, loginAs, prove, sendCode, type TestLogin } from '../kit/mfa.ts';
import { must } from '../kit/service.ts';

const MANAGER = { any: 1, of: ['manager'] };

onBoth('MFA of whoever decides', (kit) => {
  const demo = withDemo(kit);
  let dana: TestLogin;
  let n = 0;
  beforeEach(async () => {
    await typed();
    dana = await loginAs(kit, demo, 'dana');
  });
  /** Publishes the type with what it says of its approvers' MFA. */
  const typed = async (approver_mfa?: 'any' | 'phr') => {
    const { REQUEST_TYPE, apply } = await import('../kit/flow.ts');
    const steps = [{ name: 'Approval', needs: MANAGER, timeout: '24h' }];
    const more = approver_mfa === undefined ? {} : { approver_mfa };
    await apply(demo, 'sam', [{ ...REQUEST_TYPE, steps, ...more }]);
    kit.clock.advance(1);
  };
  const pending = async (): Promise<AccessRequest> => {
    const login = `asks-${n++}`;
    await makeUser(demo, login, { manager: 'dana', groups: ['linux-users'] });
    kit.clock.advance(1);
    return raisedBy(demo, login);
  };
  const by = (token: string, request: AccessRequest, body: Record<string, unknown> = {}) =>
    decide(demo.service, token, request, body);

  it('where the type says nothing, a token that was made decides as before', async () => {
    expect(codeOf(await by(demo.tokens.dana!, await pending()))).toBe('200');
  });

  it('a login needs a proof of its own, to approve and to deny', async () => {
    const request = await pending();
    for (const decision of ['approve', 'deny']) {
      const refused = await by(dana.token, request, { decision, comment: 'x' });
      expect(refused.json()).toMatchObject({
        status: 403,
        code: 'mfa_required',
        acr_values: 'any',
        next: expect.stringContaining('sft-admin approve'),
      });
    }
    expect((await show(demo.service, demo.tokens.dana, request.id)).state).toBe('pending');
    await prove(kit, await loginAs(kit, demo, 'dana'));
    await prove(kit, await loginAs(kit, demo, 'ana'));
    expect(codeOf(await by(dana.token, request))).toBe('mfa_required');
    await prove(kit, dana);
    expect(codeOf(await by(dana.token, request))).toBe('200');
  });

  it('until the instant at which the proof is 15 min old', async () => {
    const [first, second] = [await pending(), await pending()];
    await prove(kit, dana);
    kit.clock.advance(899.999);
    expect(codeOf(await by(dana.token, first))).toBe('200');
    kit.clock.advance(0.001);
    expect(codeOf(await by(dana.token, second))).toBe('mfa_required');
  });

  it('phr: a code does not do, a passkey does, and a token that was made never', async () => {
    await typed('phr');
    const request = await pending();
    await prove(kit, dana, 'any');
    expect((await by(dana.token, request)).json()).toMatchObject({
      code: 'mfa_required',
      acr_values: 'phr',
    });
    expect((await by(demo.tokens.dana!, request)).json()).toMatchObject({
      code: 'mfa_required',
      next: expect.stringContaining('sft login'),
    });
    await prove(kit, dana, 'phr');
    expect(codeOf(await by(dana.token, request))).toBe('200');
  });

  it('any, in so many words: what is no login of a person does not decide', async () => {
    await typed('any');
    const request = await pending();
    for (const kind of ['static', 'service'] as const) {
      const other = await loginAs(kit, demo, 'dana');
      await prove(kit, other);
      await kit.db.sql.updateTable('tokens').set({ kind }).where('id', '=', other.id).execute();
      expect([kind, codeOf(await by(other.token, request))]).toEqual([kind, 'mfa_required']);
    }
    await prove(kit, dana);
    expect(codeOf(await by(dana.token, request))).toBe('200');
  });

  it('of the version it runs on and the published one, the stricter counts', async () => {
    const before = await pending();
    await typed('phr');
    await prove(kit, dana, 'any');
    expect(codeOf(await by(dana.token, before))).toBe('mfa_required');
    expect(codeOf(await by(demo.tokens.dana!, before))).toBe('mfa_required');
    const strict = await pending();
    await typed();
    expect(codeOf(await by(dana.token, before))).toBe('200');
    expect(codeOf(await by(dana.token, strict))).toBe('mfa_required');
  });

  it('who may not decide is told so, and is not asked for MFA first', async () => {
    const request = await pending();
    const ellis = await loginAs(kit, demo, 'ellis');
    expect(codeOf(await by(ellis.token, request))).toBe('not_found');
    const [asker] = await kit.db.sql
      .selectFrom('users')
      .select('login')
      .where('id', '=', request.requester.id)
      .execute();
    const own = await loginAs(kit, demo, asker!.login);
    expect(codeOf(await by(own.token, request))).toBe('requester_cannot_decide');
  });

  it('a challenge for this decision, answered with a code, is such a proof', async () => {
    const request = await pending();
    demo.service.factors.apps.add(dana.user_id);
    const made = await challenged(demo, dana, { acr: 'any', request_id: request.id });
    const code = demo.service.factors.code(dana.user_id);
    must(await sendCode(demo, dana, made.mfa_id, code));
    expect(codeOf(await by(dana.token, request))).toBe('200');
  });

  it('after logging out nothing is proved', async () => {
    const request = await pending();
    await prove(kit, dana);
    must(await demo.service.call(dana.token, 'DELETE', `/tokens/${dana.id}`));
    expect(codeOf(await by(dana.token, request))).toBe('unauthenticated');
  });

  it('a type that asks for MFA is not decided in a chat: publishing both is refused', async () => {
    await expect(askOf(demo, MANAGER, { approver_mfa: 'any' })).rejects.toThrow();
    const { REQUEST_TYPE, apply } = await import('../kit/flow.ts');
    const steps = [{ name: 'Approval', needs: MANAGER }];
    const both = { ...REQUEST_TYPE, steps, chat: true, approver_mfa: 'any' };
    await expect(apply(demo, 'sam', [both])).rejects.toThrow('not_with_chat');
    const unknown = { ...REQUEST_TYPE, steps, approver_mfa: 'sms' };
    await expect(apply(demo, 'sam', [unknown])).rejects.toThrow('must be any or phr');
  });

  it.each(['/chat_links', '/delegations'])(
    'whoever cannot decide lets nobody else: POST %s by a login needs a proof as well',
    async (path) => {
      const ends_at = new Date(kit.clock.now() + 86_400_000).toISOString();
      const body = path === '/delegations' ? { to: 'ellis', ends_at } : undefined;
      const post = () => demo.service.call(dana.token, 'POST', path, body);
      const refused = await post();
      expect([codeOf(refused), refused.json().acr_values]).toEqual(['mfa_required', 'any']);
      await prove(kit, dana);
      kit.clock.advance(900);
      expect(codeOf(await post())).toBe('mfa_required');
      await prove(kit, dana);
      expect((await post()).statusCode).toBe(201);
    },
  );
});
