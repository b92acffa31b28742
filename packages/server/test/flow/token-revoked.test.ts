import { seconds } from '@postern/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { approvedFor, methodFor, withDemo } from '../kit/flow.ts';
import { type Kit, onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { openAs, signIn } from '../kit/sessions.ts';
import { reviewsOnSignals } from '../kit/still.ts';

onBoth('a token that opened a session', (kit: Kit) => {
  const demo = withDemo(kit);
  const faults: unknown[] = [];
  let reviews: { stop(): Promise<void> };
  beforeAll(async () => {
    const onError = (error: unknown) => faults.push(error);
    reviews = await reviewsOnSignals(kit, demo.service, onError, seconds(3600));
  });
  afterAll(() => reviews?.stop());

  const stateOf = async (id: string) => {
    const row = must(await demo.service.call(demo.tokens.uma, 'GET', `/sessions/${id}`));
    return [row.state, row.end_reason];
  };

  it('running out ends no session; being revoked cuts it', async () => {
    await approvedFor(demo);
    await demo.service.settled();
    const made = must(
      await demo.service.call(demo.tokens.ellis, 'POST', '/tokens', {
        name: 'short',
        expires_in_seconds: 300,
      }),
    );
    const opened = await openAs(
      demo.service,
      made.token as string,
      (await methodFor(demo, 'ellis')) as unknown as Record<string, unknown>,
    );
    const { session } = must(opened.response) as { session: { id: string } };
    must(await demo.gateway.call('POST', '/gateway/admissions', signIn(session.id, opened.key)));
    await kit.db.sql
      .updateTable('tokens')
      .set({ expires_at: kit.clock.now() })
      .where('id', '=', made.id as string)
      .execute();
    await kit.transact((tx) => tx.signal({ kind: 'user', id: demo.ids.users.ellis! }));
    await demo.service.settled();
    await new Promise((done) => setTimeout(done, 300));
    expect(await stateOf(session.id)).toEqual(['live', null]);
    must(await demo.service.call(demo.tokens.ellis, 'DELETE', `/tokens/${made.id}`));
    await expect.poll(() => stateOf(session.id)).toEqual(['cut', 'token_revoked']);
    expect(faults).toEqual([]);
  });
});
