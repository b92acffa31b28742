import { once } from 'node:events';
import type { ClientChannel, Connection } from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspectAddon } from '../src/addon.ts';
import { shell } from './run.ts';
import { startWorld, type TestWorld } from './world.ts';

// What ssh-seams.ts relies on inside ssh2. When one of these fails after an update of ssh2,
// read that file again before anything else.

let world: TestWorld;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe('ssh2 is as the seams expect', () => {
  test('the protocol of a connection: packets, ciphers, keys', async () => {
    const { client } = await world.connect();
    const { _protocol: protocol } = client as unknown as { _protocol: Record<string, unknown> };
    const { write } = protocol._packetRW as { write: Record<string, unknown> };
    expect(typeof write.alloc).toBe('function');
    expect(typeof write.finalize).toBe('function');
    expect(typeof write.allocStart).toBe('number');
    expect(typeof write.allocStartKEX).toBe('number');
    expect(typeof (protocol._cipher as Connection & { encrypt: unknown }).encrypt).toBe('function');
    expect(typeof protocol.rekey).toBe('function');
    expect(typeof protocol.channelExtData).toBe('function');
    expect('_kexinit' in protocol).toBe(true);
    client.end();
  });

  test('a channel: its outgoing state, and the chunks that wait', async () => {
    const { client } = await world.connect();
    const channel = (await shell(client)) as ClientChannel & Record<string, unknown>;
    expect(channel.outgoing).toMatchObject({
      id: expect.any(Number),
      window: expect.any(Number),
      state: 'open',
    });
    for (const name of ['_chunk', '_chunkcb', '_chunkErr', '_chunkcbErr'])
      expect(name in channel).toBe(true);
    channel.resume();
    channel.close();
    await once(channel, 'close');
    client.end();
  });

  test('the native addon does not abort when its objects are collected', () => {
    expect(inspectAddon()).not.toBe('aborts');
  });
});
