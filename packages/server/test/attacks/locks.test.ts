import { expect, it } from 'vitest';
import { bumpRevisions } from '../../src/platform/locks.ts';
import { askOf, codeOf, decide, makeUser, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';

/**
 * Lock, then read, then decide: whoever changes a person that a decision rests on holds his
 * revision, so the decision waits for the change and sees it.
 */
onBoth('a decision waits for a change of everybody it rests on', (kit) => {
  const demo = withDemo(kit);

  /** Disables the person in a transaction that is open while `act` starts. */
  async function whileDisabling<T>(userId: string, act: () => Promise<T>): Promise<T> {
    const locked = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const disabled = kit.transact(async (tx) => {
      await bumpRevisions(tx.sql, [userId]);
      await tx.sql
        .updateTable('users')
        .set({ status: 'DISABLED' })
        .where('id', '=', userId)
        .execute();
      locked.resolve();
      await release.promise;
    });
    await locked.promise;
    const acted = act();
    await Promise.race([acted, new Promise((done) => setTimeout(done, 150))]);
    release.resolve();
    await disabled;
    return acted;
  }

  it('the owner of a service user that votes', async () => {
    const owner = await makeUser(demo, 'owner');
    await makeUser(demo, 'bot', { type: 'service', owners: ['owner'], groups: ['everyone'] });
    await askOf(demo, { any: 1, of: ['user:bot'] });
    kit.clock.advance(1);
    const request = await raisedBy(demo, 'ellis');
    const decided = await whileDisabling(owner, () =>
      decide(demo.service, demo.tokens.bot, request),
    );
    expect(codeOf(decided)).not.toBe('200');
  });

  it('the owner of a service user that voted before', async () => {
    const owner = await makeUser(demo, 'owner2');
    await makeUser(demo, 'bot2', { type: 'service', owners: ['owner2'], groups: ['everyone'] });
    await makeUser(demo, 'ed', { groups: ['linux-users'] });
    await askOf(demo, { any: 2, of: ['user:bot2', 'user:bo', 'user:ana'] });
    kit.clock.advance(1);
    const request = await raisedBy(demo, 'ed');
    const first = await decide(demo.service, demo.tokens.bot2, request);
    expect(codeOf(first)).toBe('200');
    const second = await whileDisabling(owner, () =>
      decide(demo.service, demo.tokens.bo, first.json()),
    );
    expect([codeOf(second), second.json().state]).toEqual(['200', 'pending']);
  });

  it('a voter', async () => {
    const voter = await makeUser(demo, 'voter');
    await makeUser(demo, 'ida', { groups: ['linux-users'] });
    await askOf(demo, { any: 2, of: ['user:voter', 'user:bo', 'user:ana'] });
    kit.clock.advance(1);
    const request = await raisedBy(demo, 'ida');
    const first = await decide(demo.service, demo.tokens.voter, request);
    const second = await whileDisabling(voter, () =>
      decide(demo.service, demo.tokens.bo, first.json()),
    );
    expect([codeOf(second), second.json().state]).toEqual(['200', 'pending']);
  });
});
