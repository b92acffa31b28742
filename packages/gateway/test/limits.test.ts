import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { run } from './run.ts';
import { startWorld, type TestWorld } from './world.ts';

let world: TestWorld;
const sockets: Socket[] = [];

beforeEach(async () => {
  world = await startWorld({
    limits: {
      authenticateMs: 300,
      unauthenticated: 8,
      unauthenticatedPerAddress: 6,
      unauthenticatedBytes: 16 * 1024,
    },
  });
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await world.close();
});

function knock(): Socket {
  const socket = connect({ host: '127.0.0.1', port: world.gateway.port });
  sockets.push(socket);
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

/** How long until the gateway closes it. */
async function closed(socket: Socket): Promise<number> {
  const start = performance.now();
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
  return performance.now() - start;
}

async function works(): Promise<void> {
  const { client } = await world.connect();
  expect((await run(client, 'echo ok')).stdout).toBe('ok\n');
}

describe('before authentication', () => {
  test('slow-loris: who says nothing is dropped in time', async () => {
    expect(await closed(knock())).toBeLessThan(2_000);
    await works();
  });

  test('slow-loris: one byte at a time gains no time', async () => {
    const socket = knock();
    const hello = 'SSH-2.0-slow\r\n';
    let at = 0;
    const drip = setInterval(() => socket.write(hello[at++ % hello.length] ?? '\n'), 30);
    const took = await closed(socket);
    clearInterval(drip);
    expect(took).toBeLessThan(2_000);
    await works();
  });

  test('a good greeting and then nothing is dropped in time', async () => {
    const socket = knock();
    socket.write('SSH-2.0-silent\r\n');
    expect(await closed(socket)).toBeLessThan(2_000);
  });

  test('a login the service never answers is dropped in time', async () => {
    const session = world.open();
    world.service.admitDelayMs = 60_000;
    await expect(world.login(session)).rejects.toThrow();
    expect(world.target.seen.attempts).toBe(0);
  });

  test('garbage: any bytes are dropped, and nobody else notices', async () => {
    const { client } = await world.connect();
    const beginnings = ['', 'SSH-2.0-x\r\n', 'GET / HTTP/1.1\r\n\r\n', `${'A'.repeat(300)}\r\n`];
    for (const beginning of beginnings) {
      const socket = knock();
      socket.write(beginning);
      socket.write(randomBytes(4096));
      await closed(socket);
    }
    const huge = knock();
    const length = Buffer.alloc(4);
    length.writeUInt32BE(0x7fffffff);
    huge.write(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), length, randomBytes(64)]));
    await closed(huge);
    expect((await run(client, 'echo alive')).stdout).toBe('alive\n');
  });

  test('bytes: more than a login can need are dropped', async () => {
    const socket = knock();
    socket.write('SSH-2.0-x\r\n');
    socket.write(Buffer.alloc(200 * 1024));
    expect(await closed(socket)).toBeLessThan(250);
  });

  test('crowd: over the number, new ones are dropped at once; sessions go on', async () => {
    const { client } = await world.connect();
    const crowd = Array.from({ length: 6 }, () => knock());
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await closed(knock())).toBeLessThan(200);
    expect((await run(client, 'echo still')).stdout).toBe('still\n');
    await Promise.all(crowd.map(closed));
    await works();
  });
});
