import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LIMITS } from '../src/limits.ts';
import { run } from './run.ts';
import { startWorld, type TestWorld } from './world.ts';

const HOUR = 3_600_000;
let world: TestWorld;
const sockets: Socket[] = [];

beforeEach(async () => {
  world = await startWorld({
    limits: {
      unauthenticated: 8,
      unauthenticatedPerAddress: 6,
      unauthenticatedBytes: 16 * 1024,
      renewMs: HOUR,
    },
  });
});
afterEach(async () => {
  vi.useRealTimers();
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

/** Time stands still from here on, but for `pass`; sockets go on. */
const stopTime = () => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
const pass = (ms: number) => vi.advanceTimersByTime(ms);
const turn = () => new Promise<void>((done) => setImmediate(done));

/** What is on its way over loopback arrives. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await turn();
}

/** At the door: each of them is one whose time runs. */
async function waiting(count: number): Promise<void> {
  while (vi.getTimerCount() < count) await turn();
}

/** Once the gateway closes it. */
async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
}

/** Open to the last moment of its time, closed at the end of it. */
async function closedInTime(socket: Socket, passed = 0): Promise<void> {
  pass(LIMITS.authenticateMs - passed - 1);
  await settled();
  expect(socket.closed).toBe(false);
  pass(1);
  await closed(socket);
}

async function works(): Promise<void> {
  vi.useRealTimers();
  const { client } = await world.connect();
  expect((await run(client, 'echo ok')).stdout).toBe('ok\n');
}

describe('before authentication', () => {
  test('slow-loris: who says nothing is dropped in time', async () => {
    stopTime();
    const socket = knock();
    await waiting(1);
    await closedInTime(socket);
    await works();
  });

  test('slow-loris: one byte at a time gains no time', async () => {
    stopTime();
    const socket = knock();
    await waiting(1);
    const step = LIMITS.authenticateMs / 10;
    // A greeting without an end.
    for (let i = 0; i < 9; i += 1) {
      pass(step);
      socket.write('x');
      await settled();
    }
    await closedInTime(socket, 9 * step);
    await works();
  });

  test('a good greeting and then nothing is dropped in time', async () => {
    stopTime();
    const socket = knock();
    await waiting(1);
    socket.write('SSH-2.0-silent\r\n');
    await settled();
    await closedInTime(socket);
  });

  test('a login the service never answers is dropped in time', async () => {
    const session = world.open();
    world.service.admitting = new Promise(() => {});
    stopTime();
    const login = world.login(session);
    const refused = expect(login).rejects.toThrow();
    while (world.service.admissions.length === 0) await turn();
    pass(LIMITS.authenticateMs);
    await refused;
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

  test('bytes: more than a login can need are dropped, before their time is over', async () => {
    stopTime();
    const socket = knock();
    await waiting(1);
    // One message, not longer than SSH allows, and never whole.
    const length = Buffer.alloc(4);
    length.writeUInt32BE(30_004);
    socket.write(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), length, Buffer.alloc(15 * 1024)]));
    await settled();
    expect(socket.closed).toBe(false);
    socket.write(Buffer.alloc(2 * 1024));
    await closed(socket);
  });

  test('crowd: over the number, new ones are dropped, while the crowd waits; sessions go on', async () => {
    const { client } = await world.connect();
    stopTime();
    const crowd = Array.from({ length: 6 }, () => knock());
    await waiting(6);
    await closed(knock());
    expect(crowd.map((socket) => socket.closed)).toEqual(Array(6).fill(false));
    expect((await run(client, 'echo still')).stdout).toBe('still\n');
    pass(LIMITS.authenticateMs);
    await Promise.all(crowd.map(closed));
    await works();
  });
});
