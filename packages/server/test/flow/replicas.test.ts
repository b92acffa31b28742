import type { AccessRequest } from '@postern/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { approvedFor, decide, makeUser, methodsOf, raisedBy, withDemo } from '../kit/flow.ts';
import { onBoth } from '../kit/index.ts';
import { must, PREFIX, startReplica, type TestService } from '../kit/service.ts';
import { withoutIntervals } from '../kit/still.ts';

onBoth('two processes of one service', (kit) => {
  const demo = withDemo(kit);
  let other: TestService;
  let url: string;
  let n = 0;

  beforeAll(async () => {
    other = await startReplica(kit, demo.service);
    url = await other.app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await other?.stop();
    expect(other?.faults).toEqual([]);
  });

  const asker = async (): Promise<string> => {
    const login = `asker-${n++}`;
    await makeUser(demo, login, { manager: 'dana', groups: ['everyone', 'linux-users'] });
    kit.clock.advance(1);
    return login;
  };

  it('who waits at one is told of a decision that was given at the other', async () => {
    const login = await asker();
    const request = await raisedBy(demo, login);
    const leave = new AbortController();
    const stream = await withoutIntervals(() =>
      fetch(`${url}${PREFIX}/access_requests/${request.id}/events`, {
        headers: { authorization: `Bearer ${demo.tokens[login]}` },
        signal: leave.signal,
      }),
    );
    let text = '';
    const reading = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of stream.body!) text += decoder.decode(bytes as Uint8Array);
    })().catch(() => {});
    await expect.poll(() => text).toContain('"pending"');
    must(await decide(demo.service, demo.tokens.dana, request));
    await expect.poll(() => text).toContain('"approved"');
    leave.abort();
    await reading;
  });

  it('what was approved at one is allowed at the other, and revoked there too', async () => {
    const login = await asker();
    // What is listed and evaluated is cached until the signal has come: no time goes by here.
    const allowed = async () =>
      (await methodsOf(other, demo.tokens[login], demo.ids.server)).map((m) => m.allowed);
    await expect.poll(allowed).toEqual([false, false]);
    const request = await approvedFor(demo, login);
    await expect.poll(allowed).toEqual([true, false]);
    must(await other.call(demo.tokens.dana, 'POST', `/access_requests/${request.id}/revoke`, {}));
    await expect.poll(allowed).toEqual([false, false]);
  });

  it('who did it sees it at once where he did it, though no signal ever comes', async () => {
    const silent = { listen: async () => ({ close: async () => {} }) };
    const deaf = await startReplica({ ...kit, db: { ...kit.db, ...silent } }, demo.service);
    const allowed = async () =>
      (await methodsOf(deaf, demo.tokens[login], demo.ids.server)).map((m) => m.allowed);
    const login = await asker();
    expect(await allowed()).toEqual([false, false]);
    const request = await raisedBy(demo, login);
    must(await decide(deaf, demo.tokens.dana, request));
    expect(await allowed()).toEqual([true, false]);
    must(await deaf.call(demo.tokens.dana, 'POST', `/access_requests/${request.id}/revoke`, {}));
    expect(await allowed()).toEqual([false, false]);
    await deaf.stop();
  });

  it('who was disabled is not logged in any more, from the moment that it was answered', async () => {
    const silent = { listen: async () => ({ close: async () => {} }) };
    const deaf = await startReplica({ ...kit, db: { ...kit.db, ...silent } }, demo.service);
    const id = await makeUser(demo, 'leaver');
    const listed = async () => (await deaf.call(demo.tokens.leaver, 'GET', '/servers')).statusCode;
    expect(await listed()).toBe(200);
    must(await deaf.call(demo.tokens.pat, 'PATCH', `/users/${id}`, { status: 'DISABLED' }));
    expect(await listed()).toBe(401);
    await deaf.stop();
  });

  it('two approvals at once, one at each: it is approved once', async () => {
    const login = await asker();
    const request = await raisedBy(demo, login);
    const votes = await Promise.all([
      decide(demo.service, demo.tokens.dana, request),
      decide(other, demo.tokens.ana, request),
    ]);
    // Whoever is second decided on what he had not seen.
    const fine = votes.filter((vote) => vote.statusCode === 200);
    expect(fine).toHaveLength(1);
    const seen = fine[0]!.json() as AccessRequest;
    // Ana's alone does not do: then Dana reads again, and decides.
    if (seen.state === 'pending')
      expect((await decide(other, demo.tokens.dana, seen)).statusCode).toBe(200);
    const approvals = await kit.db.sql
      .selectFrom('approvals')
      .select('id')
      .where('request_id', '=', request.id)
      .execute();
    expect(approvals).toHaveLength(1);
  });
});
