import { randomUUID } from 'node:crypto';
import type { GatewaySignal } from '@postern/shared';
import { beforeAll, expect, it } from 'vitest';
import { readSignal } from '../../src/gateways/service-stream.ts';
import { approvedFor, methodFor, withDemo } from '../kit/flow.ts';
import { type Kit, onBoth } from '../kit/index.ts';
import { must, PREFIX } from '../kit/service.ts';
import { openAs, signedHeaders, signIn, type TestGateway } from '../kit/sessions.ts';

onBoth('a gateway that is named by an opened session', (kit: Kit) => {
  const demo = withDemo(kit);
  beforeAll(async () => {
    await approvedFor(demo);
    await demo.service.settled();
  });

  const open = async () => {
    await demo.gateway.renew();
    const method = (await methodFor(demo, 'ellis')) as unknown as Record<string, unknown>;
    const { response, key } = await openAs(demo.service, demo.tokens.ellis!, method);
    return { id: (must(response) as { session: { id: string } }).session.id, key };
  };
  const heard = (gateway: Pick<TestGateway, 'id'>, id: string) =>
    kit.transact((tx) => readSignal(tx, { gateway_id: gateway.id, name: 'test' }, id));
  const target = () =>
    kit.db.sql
      .selectFrom('servers')
      .select(['access_address', 'access_port', 'host_keys', 'allow_local_address'])
      .where('id', '=', demo.ids.server)
      .executeTakeFirstOrThrow();

  let url: string | undefined;
  /** The gateway's stream, as it comes over a real connection. */
  const listen = async () => {
    url ??= await demo.service.app.listen({ host: '127.0.0.1', port: 0 });
    const path = '/gateway/stream';
    const headers = signedHeaders(kit, demo.gateway, 'GET', path, Buffer.alloc(0));
    const leave = new AbortController();
    const stream = await fetch(url + PREFIX + path, { headers, signal: leave.signal });
    const heard = { text: '' };
    const ended = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of stream.body!) heard.text += decoder.decode(bytes as Uint8Array);
    })().catch(() => {});
    await expect.poll(() => heard.text).toContain('hello');
    return {
      heard,
      ended,
      leave: async () => {
        leave.abort();
        await ended;
      },
    };
  };

  it('hears of it on its stream at once: where the target is, and nothing to log in with', async () => {
    const stream = await listen();
    const { id } = await open();
    await expect.poll(() => stream.heard.text).toContain('opening');
    await stream.leave();
    const event = stream.heard.text.split('\n').find((line) => line.includes('opening'));
    const signal = JSON.parse(event!.replace(/^data: /, '')) as GatewaySignal;
    const { access_address, access_port, host_keys, allow_local_address } = await target();
    expect(signal).toEqual({
      type: 'opening',
      session_id: id,
      seconds_left: expect.closeTo(60, 0),
      target: { host: access_address, port: access_port, host_keys, allow_local_address },
    });
  });

  it('deny: another gateway hears nothing of it', async () => {
    const { id } = await open();
    expect(await heard({ id: randomUUID() }, id)).toBeUndefined();
    expect(await heard(demo.gateway, id)).toMatchObject({ type: 'opening' });
  });

  it('deny: not once it is admitted, and not again after that', async () => {
    const { id, key } = await open();
    must(await demo.gateway.call('POST', '/gateway/admissions', signIn(id, key)));
    expect(await heard(demo.gateway, id)).toMatchObject({ type: 'deadline' });
    must(await demo.service.call(demo.tokens.ellis, 'POST', `/sessions/${id}/terminate`));
    expect(await heard(demo.gateway, id)).toMatchObject({ type: 'cut' });
  });

  it('ended before it was admitted: it hears that instead', async () => {
    const { id } = await open();
    must(await demo.service.call(demo.tokens.ellis, 'POST', `/sessions/${id}/terminate`));
    expect(await heard(demo.gateway, id)).toMatchObject({ type: 'cut', session_id: id });
  });

  it('deny: not when it was opened a while ago', async () => {
    const { id } = await open();
    await kit.db.sql
      .updateTable('sessions')
      .set({ opened_at: (kit.clock.now() - 5_000) as never })
      .where('id', '=', id)
      .execute();
    expect(await heard(demo.gateway, id)).toBeUndefined();
  });

  it('deny: not when the server became another one since', async () => {
    const { id } = await open();
    await kit.db.sql
      .updateTable('servers')
      .set((e) => ({ identity_revision: e('identity_revision', '+', 1) }))
      .where('id', '=', demo.ids.server)
      .execute();
    expect(await heard(demo.gateway, id)).toBeUndefined();
  });

  it('disabled: it hears that its sessions are cut, and then its stream ends', async () => {
    await kit.db.sql.updateTable('servers').set({ identity_revision: 1 }).execute();
    const stream = await listen();
    const sessions: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { id, key } = await open();
      must(await demo.gateway.call('POST', '/gateway/admissions', signIn(id, key)));
      sessions.push(id);
    }
    must(await demo.service.call(demo.tokens.pat, 'POST', `/gateways/${demo.gateway.id}/disable`));
    await stream.ended;
    const cut = stream.heard.text
      .split('\n')
      .filter((line) => line.includes('"cut"'))
      .map(
        (line) => (JSON.parse(line.replace(/^data: /, '')) as { session_id: string }).session_id,
      );
    expect(cut).toEqual(expect.arrayContaining(sessions));
  });
});
