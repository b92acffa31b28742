import { expect, it } from 'vitest';
import { describeRequest } from '../../src/requests/service-view.ts';
import { findRequest } from '../../src/requests/store.ts';
import { decide, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';

onBoth('a request that changes while it is read', (kit) => {
  const demo = withDemo(kit);

  it('is answered as it is, never half as it was', async () => {
    const request = await raisedBy(demo, 'ellis');
    const before = await kit.transact((tx) => findRequest(tx.sql, request.id));
    await decide(demo.service, demo.tokens.dana, request);
    const answer = await kit.transact((tx) => describeRequest(tx, before!));
    expect(answer).toMatchObject({ state: 'approved', approval: { ended_at: null } });
    expect(answer.etag).not.toBe(String(before!.seq));
  });
});
