import { expect, it } from 'vitest';
import { setGroupRoles, setGroupSources } from '../../src/directory/service-groups.ts';
import { authenticate, type Caller } from '../../src/identity/index.ts';
import { bearer } from '../../src/platform/credentials.ts';
import type { Tx } from '../../src/platform/tx.ts';
import { createPolicy } from '../../src/policy/service.ts';
import { applyRequestType } from '../../src/requests/service-types.ts';
import { withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must } from '../kit/service.ts';
import { privileges } from './privileged.ts';

onBoth('attack 12: at once with what makes a group privileged', (kit) => {
  const demo = withDemo(kit);
  const { group, call, join, joins, sources, asking, policy, open, WAYS } = privileges(kit, demo);

  const callerOf = (tx: Tx, login: string): Promise<Caller> =>
    authenticate(tx, bearer(demo.tokens[login]!));
  /** The same ways, inside of a transaction that can be held open. */
  const INSIDE: Record<string, (tx: Tx) => Promise<unknown>> = {
    'a role': async (tx) => setGroupRoles(tx, await callerOf(tx, 'pat'), group.id, ['auditor']),
    'a published type': async (tx) => applyRequestType(tx, await callerOf(tx, 'sam'), asking()),
    'a policy': async (tx) => createPolicy(tx, await callerOf(tx, 'sam'), policy(open)),
    'a source taken': async (tx) => setGroupSources(tx, await callerOf(tx, 'pat'), group.id, []),
  };

  /** Runs `first`, and starts `second` while that is not committed. */
  async function overlapped(first: (tx: Tx) => Promise<unknown>, second: () => Promise<unknown>) {
    const done = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const one = kit.transact(async (tx) => {
      await first(tx);
      done.resolve();
      await release.promise;
    });
    await done.promise;
    const two = second();
    await Promise.race([two.catch(() => {}), new Promise((r) => setTimeout(r, 150))]);
    release.resolve();
    return (await Promise.allSettled([one, two])).map((r) =>
      r.status === 'fulfilled' ? 'done' : (r.reason as { code: string }).code,
    );
  }

  const prepare = async (way: string) => {
    if (way !== 'a source taken') return;
    must(await call('pat', 'PUT', `/groups/${group.id}/sources`, { sources: ['scim'] }));
    must(await WAYS['a role']());
  };

  it.each(Object.keys(INSIDE))('at once: a member by scim, then %s: refused', async (way) => {
    await prepare(way);
    const said = await overlapped(
      (tx) => join(tx, 'scim'),
      () => kit.transact(INSIDE[way]!),
    );
    expect([said, await sources()]).toEqual([['done', 'state_conflict'], ['scim']]);
  });

  it.each(Object.keys(INSIDE))('at once: %s, then a member by scim: refused', async (way) => {
    await prepare(way);
    const said = await overlapped(INSIDE[way]!, () => joins('scim'));
    expect([said, await sources()]).toEqual([['done', 'not_permitted'], []]);
  });
});
