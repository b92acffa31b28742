import { beforeAll, beforeEach, expect, it } from 'vitest';
import { codeOf, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import {
  bodyFor,
  challenged,
  loginAs,
  prove,
  sendCode,
  stateOf,
  type TestLogin,
} from '../kit/mfa.ts';
import { must } from '../kit/service.ts';
import { methodsFor, mfa, open, ruled } from './scene.ts';

onBoth('MFA for every connection', (kit) => {
  const demo = withDemo(kit);
  let ellis: TestLogin;
  beforeAll(() => ruled(demo, { R: [mfa(0)] }, ['pamadmin1', 'pamadmin2']));
  beforeEach(async () => {
    // Nothing of the test before waits any more.
    kit.clock.advance(301);
    ellis = await loginAs(kit, demo, 'ellis');
    demo.service.factors.apps.add(ellis.user_id);
  });
  const proven = async (who: TestLogin, identity = 'pamadmin1') => {
    const method = (await methodsFor(demo, who)).find((m) => m.identity === identity)!;
    const { mfa_id } = await challenged(demo, who, bodyFor(method));
    must(await sendCode(demo, who, mfa_id, demo.service.factors.code(who.user_id)));
    expect(await stateOf(demo, who, mfa_id)).toBe('approved');
    await demo.service.settled();
    return mfa_id;
  };
  const allowed = async (who: TestLogin) =>
    (await methodsFor(demo, who)).filter((m) => m.allowed).map((m) => m.identity);

  it('a remembered proof never does', async () => {
    await prove(kit, ellis, 'phr');
    await demo.service.settled();
    expect(await allowed(ellis)).toEqual([]);
    expect((await open(demo, ellis)).code).toBe('mfa_required');
  });

  it('its proof opens one session, is bound to it, and shows as met only until then', async () => {
    expect(await allowed(ellis)).toEqual([]);
    await proven(ellis);
    expect(await allowed(ellis)).toEqual(['pamadmin1']);
    const first = await open(demo, ellis);
    expect(first.code).toBe('201');
    await demo.service.settled();
    expect(await allowed(ellis)).toEqual([]);
    expect((await open(demo, ellis)).code).toBe('mfa_required');
    // Used by itself it still admits that session.
    expect(codeOf(await first.admit())).toBe('200');
    const used = await kit.db.sql
      .selectFrom('mfa_proofs')
      .select('session_id')
      .where('token_id', '=', ellis.id)
      .execute();
    expect(used).toEqual([{ session_id: first.session.id }]);
    const event = await kit.db.sql
      .selectFrom('audit_events')
      .select('details')
      .where('type', '=', 'pam.session.open')
      .where('session_id', '=', first.session.id)
      .executeTakeFirstOrThrow();
    expect(event.details).toMatchObject({ mfa_proof_id: expect.any(String) });
  });

  it('two opens at once on one proof: one wins', async () => {
    await proven(ellis);
    const both = await Promise.all([open(demo, ellis), open(demo, ellis), open(demo, ellis)]);
    expect(both.map(({ code }) => code).sort()).toEqual(['201', 'mfa_required', 'mfa_required']);
    const sessions = await kit.db.sql
      .selectFrom('sessions')
      .select('id')
      .where('token_id', '=', ellis.id)
      .execute();
    expect(sessions).toHaveLength(1);
  });

  it('a proof for another account, or of another login, opens nothing', async () => {
    await proven(ellis, 'pamadmin2');
    expect(await allowed(ellis)).toEqual(['pamadmin2']);
    expect((await open(demo, ellis)).code).toBe('mfa_required');
    const other = await loginAs(kit, demo, 'ellis');
    expect((await open(demo, other, 'pamadmin2')).code).toBe('mfa_required');
    expect((await open(demo, ellis, 'pamadmin2')).code).toBe('201');
  });

  it('a proof that is 5 min old opens nothing, nor is what it opened admitted then', async () => {
    await proven(ellis);
    kit.clock.advance(299);
    const opened = await open(demo, ellis);
    expect(opened.code).toBe('201');
    kit.clock.advance(1);
    expect(codeOf(await opened.admit())).toBe('not_permitted');
    await proven(ellis);
    kit.clock.advance(300);
    expect((await open(demo, ellis)).code).toBe('mfa_required');
  });

  it('a proof from before the server’s address changed opens nothing', async () => {
    await proven(ellis);
    const server = `/inventory/servers/${demo.ids.server}`;
    const sam = demo.tokens.sam;
    must(await demo.service.call(sam, 'PATCH', server, { access_port: 2299 }));
    for (const name of ['pamadmin1', 'pamadmin2']) {
      const body = { credential: { type: 'password', password: 'again' } };
      must(await demo.service.call(sam, 'PUT', `${server}/accounts/${name}`, body));
    }
    expect((await open(demo, ellis)).code).toBe('mfa_required');
  });

  it('after logging out it is gone; a proof that another session used admits nothing', async () => {
    await proven(ellis);
    const one = await open(demo, ellis);
    // The second session's own proof is taken away: the first one's does not do for it.
    await proven(ellis);
    const two = await open(demo, ellis);
    await kit.db.sql.deleteFrom('mfa_proofs').where('session_id', '=', two.session.id).execute();
    expect(codeOf(await two.admit())).toBe('not_permitted');
    must(await demo.service.call(ellis.token, 'DELETE', `/tokens/${ellis.id}`));
    expect(codeOf(await one.admit())).toBe('not_permitted');
  });

  it('a proof is never handed on to another session', async () => {
    await proven(ellis);
    const first = await open(demo, ellis);
    await proven(ellis);
    const second = await open(demo, ellis);
    const steal = kit.db.sql
      .updateTable('mfa_proofs')
      .set({ session_id: first.session.id })
      .where('session_id', '=', second.session.id)
      .execute();
    await expect(steal).rejects.toThrow();
  });
});
