import type { Socket } from 'node:net';
import type { Client, ClientChannel } from 'ssh2';
import { afterEach, describe, expect, test } from 'vitest';
import { openFile } from '../src/appender.ts';
import type { RecordingWorld } from '../src/recording.ts';
import { run, until } from './run.ts';
import { startWorld, type TestWorld, type WorldOptions } from './world.ts';

const worlds: TestWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function start(options: WorldOptions = {}): Promise<TestWorld> {
  const world = await startWorld(options);
  worlds.push(world);
  return world;
}

const exec = (client: Client, command: string): Promise<ClientChannel> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error ? reject(error) : resolve(channel)));
  });

const inside = (client: Client) =>
  client as unknown as {
    _sock: Socket;
    _protocol: {
      channelData: (id: number, bytes: Buffer) => void;
      exec: (id: number, command: string, reply: boolean) => void;
    };
  };

describe('one connection’s fault is its own', () => {
  test('a handler that throws ends its connection, and no other', async () => {
    let broken = false;
    const openSink: RecordingWorld['openSink'] = async (path) => {
      const sink = await openFile(path);
      return {
        close: () => sink.close(),
        append: (bytes) => {
          if (broken) throw new TypeError('a bug');
          return sink.append(bytes);
        },
      };
    };
    const world = await start({ openSink });
    const one = await world.connect();
    const two = await world.connect({ recorded: false });
    broken = true;
    await run(one.client, 'echo x').catch(() => undefined);
    await world.service.ended(one.id);
    expect((await run(two.client, 'echo fine')).stdout).toBe('fine\n');
    expect(world.gateway.sessions()).toEqual([two.id]);
  });

  test('a client that breaks off in the middle of a packet', async () => {
    const world = await start();
    const one = await world.connect();
    const two = await world.connect();
    await exec(one.client, 'cat');
    inside(one.client)._sock.write(Buffer.alloc(37, 0xff));
    inside(one.client)._sock.end();
    expect(['client_closed', 'protocol_error']).toContain(
      (await world.service.ended(one.id)).reason,
    );
    expect((await run(two.client, 'echo fine')).stdout).toBe('fine\n');
  });

  test('bytes that do not authenticate end the connection as a protocol error', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    client.on('error', () => {});
    inside(client)._sock.write(Buffer.alloc(4096, 0x41));
    expect(await world.service.ended(id)).toMatchObject({ reason: 'protocol_error' });
  });

  test('messages for channels that are not there', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    const wire = inside(client)._protocol;
    for (const channel of [7, 0xffffffff - 1, 0]) {
      wire.exec(channel, 'echo leaked', false);
      wire.channelData(channel, Buffer.from('x'));
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(world.target.seen.commands).toEqual([]);
    const still = await run(client, 'echo fine').catch(() => undefined);
    if (still === undefined) expect(await world.service.ended(id)).toBeDefined();
    else expect(still.stdout).toBe('fine\n');
    const other = await world.connect();
    expect((await run(other.client, 'echo fine')).stdout).toBe('fine\n');
  });

  test('a client that sends more than its window allows is ended', async () => {
    const world = await start({ limits: { channelBacklog: 4 * 1024 * 1024 } });
    const { client, id } = await world.connect();
    client.on('error', () => {});
    const channel = await exec(client, 'sleep 60');
    const { outgoing } = channel as unknown as { outgoing: { id: number } };
    // A size that does not hit the end of the window exactly: ssh2 looks for nothing else.
    const block = Buffer.alloc(30_001);
    // Past every window: straight into packets.
    for (let i = 0; i < 2000; i += 1) {
      if (inside(client)._sock.destroyed) break;
      inside(client)._protocol.channelData(outgoing.id, block);
      if (i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await world.service.ended(id)).toMatchObject({ reason: 'limit_exceeded' });
  });

  test('a client that answers nothing any more is given up', async () => {
    const world = await start({ limits: { keepaliveMs: 250, keepaliveCount: 2 } });
    const { client, id } = await world.connect();
    await exec(client, 'sleep 60');
    inside(client)._sock.pause();
    expect(await world.service.ended(id)).toMatchObject({ reason: 'keepalive_lost' });
    await until('gone', () => world.gateway.sessions().length === 0);
  });
});
