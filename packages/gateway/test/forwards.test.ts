import { randomBytes } from 'node:crypto';
import { connect, createServer, type Server } from 'node:net';
import type { Channel, Client } from 'ssh2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './run.ts';
import { startWorld, type TestWorld } from './world.ts';

let world: TestWorld;
let echo: Server;
let port = 0;

beforeAll(async () => {
  world = await startWorld();
  // Answers when the other side has finished speaking: needs half-close to work.
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    const heard: Buffer[] = [];
    socket.on('data', (bytes) => heard.push(bytes));
    socket.on('error', () => {});
    socket.once('end', () => socket.end(Buffer.concat(heard)));
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  port = (echo.address() as { port: number }).port;
});
afterAll(async () => {
  await world.close();
  echo.close();
});

const forwardOut = (client: Client, to: number): Promise<Channel> =>
  new Promise((resolve, reject) => {
    client.forwardOut('127.0.0.1', 40_000, '127.0.0.1', to, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });

const drain = (channel: Channel): Promise<Buffer> =>
  new Promise((resolve) => {
    const got: Buffer[] = [];
    channel.on('data', (bytes: Buffer) => got.push(bytes));
    channel.once('close', () => resolve(Buffer.concat(got)));
  });

describe('local forwarding', () => {
  test('the target opens the connection; half-close and 20 MB pass unharmed', async () => {
    const { client, id } = await world.connect({ channels: ['local_forward'] });
    const channel = await forwardOut(client, port);
    const bytes = randomBytes(20 * 1024 * 1024);
    const back = drain(channel);
    channel.end(bytes);
    expect((await back).equals(bytes)).toBe(true);
    expect(world.target.seen.channels).toContain(`direct-tcpip 127.0.0.1:${port}`);
    await until('recorded', () => world.events(id).some((e) => e.type === 'forward_closed'));
    expect(world.events(id).filter((e) => e.type !== 'login')).toMatchObject([
      { type: 'local_forward', channel: 1, destination: `127.0.0.1:${port}` },
      { type: 'forward_closed', channel: 1, bytes_in: bytes.length, bytes_out: bytes.length },
    ]);
    client.end();
  }, 180_000);

  test('what the target cannot open is refused, and takes no channel', async () => {
    const { client } = await world.connect({ channels: ['local_forward'] });
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const dead = (gone.address() as { port: number }).port;
    await new Promise((resolve) => gone.close(resolve));
    for (let i = 0; i < 15; i += 1) await expect(forwardOut(client, dead)).rejects.toThrow();
    const channel = await forwardOut(client, port);
    const back = drain(channel);
    channel.end('hello');
    expect((await back).toString()).toBe('hello');
    client.end();
  });

  test('closed channels make room for others', async () => {
    const { client } = await world.connect({ channels: ['local_forward'] });
    for (let i = 0; i < 30; i += 1) {
      const channel = await forwardOut(client, port);
      const back = drain(channel);
      channel.end(`${i}`);
      expect((await back).toString()).toBe(`${i}`);
    }
    client.end();
  });
});

describe('remote forwarding', () => {
  const bind = (client: Client): Promise<number> =>
    new Promise((resolve, reject) => {
      client.forwardIn('127.0.0.1', 0, (error, at) => (error ? reject(error) : resolve(at)));
    });

  test('the target listens; the connection reaches the client', async () => {
    const { client, id } = await world.connect({ channels: ['remote_forward'] });
    client.on('tcp connection', (_details, accept) => {
      const channel = accept();
      channel.on('data', (bytes: Buffer) => channel.write(`heard ${bytes}`));
      channel.once('end', () => channel.end());
    });
    const at = await bind(client);
    expect(at).toBeGreaterThan(0);
    const socket = connect(at, '127.0.0.1');
    socket.end('hi');
    const got: Buffer[] = [];
    socket.on('data', (bytes) => got.push(bytes));
    await new Promise((resolve) => socket.once('close', resolve));
    expect(Buffer.concat(got).toString()).toBe('heard hi');
    await until('recorded', () => world.events(id).some((e) => e.type === 'forward_closed'));
    expect(world.events(id).filter((e) => e.type !== 'login')).toMatchObject([
      { type: 'remote_forward_opened', bind: `127.0.0.1:${at}` },
      { type: 'remote_forward', channel: 1, destination: `127.0.0.1:${at}` },
      { type: 'forward_closed', channel: 1, bytes_in: 8, bytes_out: 2 },
    ]);
    client.end();
  });

  test('can be taken back; what was not asked for cannot', async () => {
    const { client } = await world.connect({ channels: ['remote_forward'] });
    const at = await bind(client);
    const unbind = (p: number) =>
      new Promise<void>((resolve, reject) => {
        client.unforwardIn('127.0.0.1', p, (error) => (error ? reject(error) : resolve()));
      });
    await unbind(at);
    await expect(unbind(at)).rejects.toThrow();
    client.end();
  });

  test('deny: more than ten listeners', async () => {
    const { client } = await world.connect({ channels: ['remote_forward'] });
    for (let i = 0; i < 10; i += 1) await bind(client);
    await expect(bind(client)).rejects.toThrow();
    client.end();
  });
});
