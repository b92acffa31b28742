import { randomUUID } from 'node:crypto';
import {
  generateEd25519,
  publicKeyOf,
  type TargetAddress,
  toOpenSshPrivateKey,
} from '@postern/shared';
import { afterEach, describe, expect, test } from 'vitest';
import { LIMITS } from '../src/limits.ts';
import { ServiceUnavailable } from '../src/service-port.ts';
import { run, until } from './run.ts';
import { startTarget, type TestTarget } from './target.ts';
import { startWorld, type TestWorld, type WorldOptions } from './world.ts';

const closers: Array<() => Promise<void>> = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Nothing is closed by its own time, but where that is what a test is about. */
async function start(options: WorldOptions = {}): Promise<TestWorld> {
  const limits = { earlyMs: 3_600_000, ...options.limits };
  const world = await startWorld({ ...options, limits });
  closers.push(() => world.close());
  return world;
}

async function another(): Promise<TestTarget> {
  const target = await startTarget();
  closers.push(() => target.close());
  return target;
}

const addressOf = (target: TestTarget, changes: Partial<TargetAddress> = {}): TargetAddress => ({
  host: '127.0.0.1',
  port: target.port,
  host_keys: [target.hostKeyLine],
  allow_local_address: true,
  ...changes,
});

/** A session is opened in the service. @returns its id */
function opened(world: TestWorld, target: TargetAddress, id: string = randomUUID()): string {
  world.service.signal({ type: 'opening', session_id: id, seconds_left: 3600, target });
  return id;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const reached = (target: TestTarget) => until('the target is reached', () => target.open() === 1);
const freshHostKey = () => publicKeyOf(generateEd25519().private).line;

describe('a target reached early', () => {
  test('serves its session: one connection, and no request on it before the admission', async () => {
    const world = await start();
    const id = opened(world, addressOf(world.target));
    await reached(world.target);
    await pause(50);
    expect(world.target.seen).toMatchObject({ connections: 1, asked: 0 });
    const { client } = await world.connect({ session_id: id });
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
    expect(world.target.seen).toMatchObject({ connections: 1, logins: 1, asked: 1 });
  });

  test('serves it as well while it is still being reached', async () => {
    const world = await start();
    const session = world.open();
    opened(world, addressOf(world.target), session.id);
    const client = await world.login(session);
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
    expect(world.target.seen.connections).toBe(1);
  });

  test('by keyboard-interactive, and by private key', async () => {
    const pair = generateEd25519();
    const credential = {
      type: 'private_key',
      private_key: toOpenSshPrivateKey(pair.private),
    } as const;
    const ways = [
      [{ auth: 'keyboard-interactive' }, {}],
      [{ auth: 'publickey', publicKey: publicKeyOf(pair.private).line }, { credential }],
    ] as const;
    for (const [options, target] of ways) {
      const world = await start({ target: options });
      const id = opened(world, addressOf(world.target));
      await reached(world.target);
      const { client } = await world.connect({ session_id: id, target });
      expect((await run(client, 'echo in')).stdout).toBe('in\n');
      expect(world.target.seen.connections).toBe(1);
    }
  });

  test('deny: a credential that is refused there is not sent again', async () => {
    const world = await start();
    const id = opened(world, addressOf(world.target));
    await reached(world.target);
    const credential = { type: 'password', password: 'old-secret' } as const;
    await world.connect({ session_id: id, target: { credential } });
    expect(await world.service.ended(id)).toMatchObject({ reason: 'target_auth_failed' });
    expect(world.target.seen).toMatchObject({ connections: 1, logins: 0 });
  });

  test('that has hung up meanwhile is reached anew', async () => {
    const world = await start();
    const id = opened(world, addressOf(world.target));
    await reached(world.target);
    await pause(50);
    world.target.crash();
    const { client } = await world.connect({ session_id: id });
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
    expect(world.target.seen.connections).toBe(2);
  });
});

describe('a session that nobody comes for', () => {
  test('its connection is closed in time, and nothing was asked on it', async () => {
    const world = await start({ limits: { earlyMs: 500 } });
    opened(world, addressOf(world.target));
    await until('reached', () => world.target.seen.connections === 1);
    await until('closed', () => world.target.open() === 0);
    expect(world.target.seen).toMatchObject({ connections: 1, asked: 0 });
  });

  test('not kept longer than the session can be admitted', async () => {
    const world = await start();
    const target = addressOf(world.target);
    world.service.signal({ type: 'opening', session_id: randomUUID(), seconds_left: 0.5, target });
    await until('reached', () => world.target.seen.connections === 1);
    await until('closed', () => world.target.open() === 0);
    expect(world.target.seen.asked).toBe(0);
  });

  test('cut: its connection is closed at once', async () => {
    const world = await start();
    const id = opened(world, addressOf(world.target));
    await reached(world.target);
    world.service.signal({ type: 'cut', session_id: id, reason: 'revoked', message: 'revoked' });
    await until('closed', () => world.target.open() === 0);
    expect(world.target.seen.asked).toBe(0);
  });

  test('cut: its connection is closed though it is still being made', async () => {
    const world = await start();
    const id = opened(world, addressOf(world.target));
    world.service.signal({ type: 'cut', session_id: id, reason: 'revoked', message: 'revoked' });
    await pause(200);
    expect(world.target.open()).toBe(0);
    expect(world.target.seen.asked).toBe(0);
  });

  test('refused after its admission: its connection is closed', async () => {
    const openSink = () => Promise.reject(new Error('full'));
    const world = await start({ openSink });
    const id = opened(world, addressOf(world.target));
    await reached(world.target);
    await expect(world.connect({ session_id: id })).rejects.toThrow('recorded');
    await until('closed', () => world.target.open() === 0);
    expect(world.target.seen.asked).toBe(0);
  });

  test('the stream of signals ends (the gateway is disabled, the service stops): all are closed', async () => {
    const world = await start();
    opened(world, addressOf(world.target));
    await reached(world.target);
    world.service.endStreams();
    await until('closed', () => world.target.open() === 0);
  });

  test('the lease is lost: all are closed, and none is made', async () => {
    const world = await start({ limits: { renewMs: 50, tickMs: 20 } });
    opened(world, addressOf(world.target));
    await reached(world.target);
    world.service.down = new ServiceUnavailable('away');
    world.pass(LIMITS.leaseMs);
    await until('closed', () => world.target.open() === 0);
    opened(world, addressOf(world.target));
    await pause(100);
    expect(world.target.seen.connections).toBe(1);
  });

  test('the gateway stops: all are closed', async () => {
    const world = await start();
    opened(world, addressOf(world.target));
    await reached(world.target);
    await world.gateway.stop();
    await until('closed', () => world.target.open() === 0);
  });
});

describe('the admission alone says where, and what is trusted', () => {
  test('deny: another address than the one reached', async () => {
    const world = await start();
    const old = await another();
    const id = opened(world, addressOf(old));
    await reached(old);
    const { client } = await world.connect({ session_id: id });
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
    await until('closed', () => old.open() === 0);
    expect(old.seen.asked).toBe(0);
    expect(world.target.seen.logins).toBe(1);
  });

  test('deny: other host keys than those it was reached with', async () => {
    const world = await start();
    const id = opened(world, addressOf(world.target));
    await reached(world.target);
    const host_keys = [freshHostKey()];
    await world.connect({ session_id: id, target: { host_keys } });
    expect((await world.service.ended(id)).reason).toBe('host_key_mismatch');
    expect(world.target.seen.asked).toBe(0);
    await until('closed', () => world.target.open() === 0);
  });

  test('one host key more: reached anew', async () => {
    const world = await start();
    const id = opened(world, addressOf(world.target));
    await reached(world.target);
    const host_keys = [world.target.hostKeyLine, freshHostKey()];
    const { client } = await world.connect({ session_id: id, target: { host_keys } });
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
    expect(world.target.seen).toMatchObject({ connections: 2, asked: 1 });
  });

  test('deny: local addresses are no longer allowed', async () => {
    const world = await start();
    const id = opened(world, addressOf(world.target));
    await reached(world.target);
    await world.connect({ session_id: id, target: { allow_local_address: false } });
    expect((await world.service.ended(id)).reason).toBe('target_unreachable');
    expect(world.target.seen.asked).toBe(0);
  });

  test('deny: a target with another host key; the session is refused as ever', async () => {
    const world = await start();
    const host_keys = [freshHostKey()];
    const id = opened(world, addressOf(world.target, { host_keys }));
    await until('tried', () => world.target.seen.connections === 1);
    await until('closed', () => world.target.open() === 0);
    const { client } = await world.connect({ session_id: id, target: { host_keys } });
    const { stderr } = await run(client, 'echo leaked');
    expect(stderr).toContain('sft-admin servers trust opa-demo-linux');
    expect((await world.service.ended(id)).reason).toBe('host_key_mismatch');
    expect(world.target.seen.asked).toBe(0);
  });

  test('deny: another session of the same target does not get it', async () => {
    const world = await start();
    opened(world, addressOf(world.target));
    await reached(world.target);
    const { client } = await world.connect();
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
    expect(world.target.seen.connections).toBe(2);
  });
});

describe('what is not reached early', () => {
  test('deny: loopback where the record does not allow it', async () => {
    const world = await start();
    for (const host of ['127.0.0.1', 'localhost', '::1'])
      opened(world, addressOf(world.target, { host, allow_local_address: false }));
    await pause(200);
    expect(world.target.seen.connections).toBe(0);
  });

  test('deny: the gateway itself', async () => {
    const world = await start();
    const { port } = world.gateway;
    const id = opened(world, addressOf(world.target, { port }));
    await pause(100);
    await world.connect({ session_id: id, target: { port } });
    expect((await world.service.ended(id)).reason).toBe('target_unreachable');
  });

  test('deny: a session that is live', async () => {
    const world = await start();
    const { client, id } = await world.connect();
    await run(client, 'true');
    opened(world, addressOf(world.target), id);
    await pause(100);
    expect(world.target.seen.connections).toBe(1);
  });

  test('a dead target: the session says so, and it is tried once', async () => {
    const world = await start();
    const dead = await startTarget();
    await dead.close();
    const id = opened(world, addressOf(dead));
    opened(world, addressOf(dead), id);
    await pause(50);
    const { client } = await world.connect({ session_id: id, target: { port: dead.port } });
    expect((await run(client, 'true')).stderr).toContain('connection refused');
  });
});

describe('a flood of opened sessions', () => {
  test('deny: more than two connections of a target', async () => {
    const world = await start();
    for (let i = 0; i < 50; i += 1) opened(world, addressOf(world.target));
    await until('two', () => world.target.seen.connections >= 2);
    await pause(300);
    expect(world.target.seen).toMatchObject({ connections: 2, asked: 0 });
  });

  test('deny: more by ending each at once; its place stays taken for its time', async () => {
    const openAndEnd = async (world: TestWorld) => {
      for (let i = 0; i < 30; i += 1) {
        const session_id = opened(world, addressOf(world.target));
        world.service.signal({ type: 'cut', session_id, reason: 'dropped', message: 'dropped' });
        await pause(2);
      }
    };
    const world = await start();
    await openAndEnd(world);
    expect(world.target.seen.connections).toBeLessThanOrEqual(2);
    const quick = await start({ limits: { earlyMs: 500 } });
    await openAndEnd(quick);
    await pause(600);
    const before = quick.target.seen.connections;
    opened(quick, addressOf(quick.target));
    await until('reached', () => quick.target.seen.connections > before);
  });

  test('deny: more than so many of all targets together', async () => {
    const world = await start({ limits: { early: 3 } });
    const targets = await Promise.all(Array.from({ length: 6 }, another));
    for (const target of targets) opened(world, addressOf(target));
    await until('three', () => targets.filter((t) => t.seen.connections > 0).length >= 3);
    await pause(300);
    expect(targets.map((target) => target.seen.connections)).toEqual([1, 1, 1, 0, 0, 0]);
  });

  test('does not keep a session out: it is reached when it is admitted', async () => {
    const world = await start();
    for (let i = 0; i < 10; i += 1) opened(world, addressOf(world.target));
    await until('full', () => world.target.open() === 2);
    const id = opened(world, addressOf(world.target));
    const { client } = await world.connect({ session_id: id });
    expect((await run(client, 'echo in')).stdout).toBe('in\n');
  });

  test('a place is free again once its session has come', async () => {
    const world = await start({ limits: { earlyPerTarget: 1 } });
    for (let i = 1; i <= 3; i += 1) {
      const id = opened(world, addressOf(world.target));
      await until('reached', () => world.target.seen.connections === i);
      const { client } = await world.connect({ session_id: id });
      expect((await run(client, 'echo in')).stdout).toBe('in\n');
    }
    expect(world.target.seen.connections).toBe(3);
  });
});
