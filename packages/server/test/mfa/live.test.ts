import { seconds } from '@postern/shared';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { codeOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { loginAs, prove, type TestLogin } from '../kit/mfa.ts';
import { must } from '../kit/service.ts';
import { reviewsOnSignals } from '../kit/still.ts';
import { mfa, open, ruled } from './scene.ts';

onBoth('a live session and MFA', (kit) => {
  const demo = withDemo(kit);
  const faults: unknown[] = [];
  let reviews: { stop(): Promise<void> };
  let ellis: TestLogin;
  beforeAll(async () => {
    const onError = (error: unknown) => faults.push(error);
    reviews = await reviewsOnSignals(kit, demo.service, onError, seconds(8 * 3600));
  });
  afterAll(async () => {
    await reviews?.stop();
    expect(faults).toEqual([]);
  });
  beforeEach(async () => {
    await ruled(demo, { R: [mfa(600)] });
    ellis = await loginAs(kit, demo, 'ellis');
  });
  const live = async () => {
    await prove(kit, ellis);
    const opened = await open(demo, ellis);
    expect(codeOf(await opened.admit())).toBe('200');
    return opened.session.id as string;
  };
  const stateOf = async (id: string) => {
    const row = must(await demo.service.call(demo.tokens.uma, 'GET', `/sessions/${id}`));
    return [row.state, row.end_reason];
  };
  /** Past its MFA, in steps that its gateway's lease outlives. */
  const later = async (id: string) => {
    for (let step = 0; step < 61; step += 1) {
      kit.clock.advance(10);
      must(await demo.gateway.renew([id]));
    }
  };
  const reviewed = async () => {
    await kit.transact((tx) => tx.signal({ kind: 'user', id: ellis.user_id }));
    await demo.service.settled();
    await new Promise((done) => setTimeout(done, 300));
  };

  it('goes on when the time of its MFA is over', async () => {
    const id = await live();
    await later(id);
    await reviewed();
    expect(await stateOf(id)).toEqual(['live', null]);
  });

  it('goes on when its rule asks for MFA more often; what is opened next needs the new one', async () => {
    const id = await live();
    await ruled(demo, { R: [mfa(0)] });
    await reviewed();
    expect(await stateOf(id)).toEqual(['live', null]);
    expect((await open(demo, ellis)).code).toBe('mfa_required');
  });

  it('is cut when its rule asks for stronger MFA than its login ever gave', async () => {
    const id = await live();
    await ruled(demo, { R: [mfa(900, 'phr')] });
    await reviewed();
    await expect.poll(() => stateOf(id)).toEqual(['cut', 'policy_changed']);
  });

  it('is cut when its rule is gone, though another would do with MFA', async () => {
    const id = await live();
    await later(id);
    await ruled(demo, { Other: [mfa(600)] });
    await expect.poll(() => stateOf(id)).toEqual(['cut', 'policy_changed']);
  });

  it('passes to another rule where that one is met now', async () => {
    const id = await live();
    await ruled(demo, { Other: [mfa(600)] });
    await reviewed();
    expect(await stateOf(id)).toEqual(['live', null]);
  });

  it('is cut when its person logs out', async () => {
    const id = await live();
    must(await demo.service.call(ellis.token, 'DELETE', `/tokens/${ellis.id}`));
    await expect.poll(() => stateOf(id)).toEqual(['cut', 'token_revoked']);
  });

  it('one that is only opening is abandoned when its MFA is over', async () => {
    await prove(kit, ellis);
    kit.clock.advance(590);
    const { session } = await open(demo, ellis);
    kit.clock.advance(10);
    await reviewed();
    await expect.poll(async () => (await stateOf(session.id))[0]).toBe('abandoned');
  });
});
