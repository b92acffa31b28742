import { expect, it } from 'vitest';
import { sweepProofs } from '../../src/mfa/service-sweep.ts';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { bodyFor, challenged, loginAs, prove, sendCode } from '../kit/mfa.ts';
import { must } from '../kit/service.ts';
import { methodsFor, mfa, open, ruled } from './scene.ts';

onBoth('proofs and challenges that count no more', (kit) => {
  const demo = withDemo(kit);
  const sweep = () => kit.transact(sweepProofs);
  const kept = async () => {
    const of = (table: 'mfa_proofs' | 'mfa_challenges') =>
      kit.db.sql.selectFrom(table).select('id').execute();
    return [(await of('mfa_proofs')).length, (await of('mfa_challenges')).length];
  };

  it('are dropped a day after their login is over; those that open something never', async () => {
    await ruled(demo, { R: [mfa(0)] });
    const ellis = await loginAs(kit, demo, 'ellis');
    demo.service.factors.apps.add(ellis.user_id);
    const [method] = await methodsFor(demo, ellis);
    const ask = async () => (await challenged(demo, ellis, bodyFor(method!))).mfa_id;
    const answered = await ask();
    must(await sendCode(demo, ellis, answered, demo.service.factors.code(ellis.user_id)));
    await ask();
    await prove(kit, ellis);
    expect(await kept()).toEqual([2, 2]);
    await sweep();
    // What was proved opens its connection still.
    expect((await open(demo, ellis)).code).toBe('201');

    await kit.db.sql
      .updateTable('tokens')
      .set({ revoked_at: kit.clock.now() })
      .where('id', '=', ellis.id)
      .execute();
    kit.clock.advance(86_000);
    await sweep();
    // Of the challenges only what nobody answered may go before.
    expect((await kept())[0]).toBe(2);
    kit.clock.advance(1_000);
    await sweep();
    expect(await kept()).toEqual([0, 0]);
  });
});
