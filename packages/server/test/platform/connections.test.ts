import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { openStream } from '../../src/platform/sse.ts';

const lines: string[] = [];
const log = createLogger('info', { write: (line) => void lines.push(line) });
const ask = (path: string, headers = '') => `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}\r\n`;

/** More bytes than the two ends of a connection hold. */
const LARGE = 32 * 2 ** 20;

describe('a connection', () => {
  let app: FastifyInstance;
  let port = 0;
  let asked = 0;
  /** Metrics and checks. */
  let made = 0;
  let streams = 0;
  let opened = 0;
  let failed = 0;
  let letGo = () => {};

  beforeAll(async () => {
    const register = (instance: FastifyInstance) => {
      instance.get('/count', async () => ({ n: ++asked }));
      instance.post('/count', async () => ({ n: ++asked }));
      instance.get('/events', async (request, reply) => {
        await new Promise<void>((go) => {
          letGo = go;
        });
        const stream = openStream(request, reply);
        opened++;
        streams++;
        stream.onClose(() => streams--);
      });
      instance.get('/large', async () => 'x'.repeat(LARGE));
      const schema = { description: 'x'.repeat(400_000) };
      instance.get('/described', { schema }, async () => ({}));
      instance.addHook('onError', async () => void failed++);
    };
    const metrics = createMetrics();
    metrics.gauge('made', 'How often it was read', () => ++made);
    const checks = [{ name: 'made', check: () => (++made > 0 ? undefined : 'never') }];
    app = await buildApp({ version: '1', log, metrics, checks, register });
    await app.listen({ host: '127.0.0.1', port: 0 });
    ({ port } = app.server.address() as AddressInfo);
  });
  afterAll(() => app?.close());

  const connect = () => net.connect(port, '127.0.0.1').on('error', () => {});
  const send = async (bytes: string) => {
    const socket = connect();
    socket.write(bytes);
    return await text(socket);
  };
  const statuses = (answers: string) =>
    [...answers.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));

  test('100 requests at once are answered in their order', async () => {
    const answers = await send(ask('/count').repeat(99) + ask('/count', 'connection: close\r\n'));
    const numbers = [...answers.matchAll(/"n":(\d+)/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
  });

  test('over 100 at once: cut off, and what came after them is not done', async () => {
    const before = asked;
    const socket = connect();
    socket.write(ask('/count').repeat(1000));
    await once(socket.resume(), 'close');
    expect(asked - before).toBeLessThanOrEqual(100);
    expect((await fetch(`http://127.0.0.1:${port}/count`)).status).toBe(200);
  });

  test('who asks and does not read is cut off after two minutes', async () => {
    expect(app.server.timeout).toBe(120_000);
    app.server.timeout = 300;
    const socket = connect().pause();
    const [there] = (await once(app.server, 'connection')) as [net.Socket];
    socket.write(ask('/large'));
    await once(there, 'close');
    app.server.timeout = 120_000;
    socket.destroy();
  });

  test.each(['/metrics', '/readyz'])(
    '%s asked for 100 times at once is made once',
    async (path) => {
      const before = made;
      await send(ask(path).repeat(99) + ask(path, 'connection: close\r\n'));
      expect(made - before).toBe(1);
      await send(ask(path, 'connection: close\r\n'));
      expect(made - before).toBe(2);
    },
  );

  test('the OpenAPI document lies in memory once, however many do not read it', async () => {
    const held = () => {
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const before = held();
    const sockets = [0, 1, 2, 3].map(connect);
    for (const socket of sockets) socket.pause().write(ask('/openapi.json').repeat(100));
    await wait(500);
    expect((held() - before) / 2 ** 20).toBeLessThan(60);
    for (const socket of sockets) socket.destroy();
  });

  test.each([
    ['what cannot be parsed', `${ask('/count').repeat(2)}what\r\n\r\n`, [200, 200, 400]],
    [
      'what follows the last request',
      ask('/count', 'connection: close\r\n') + ask('/count'),
      [200],
    ],
  ])('%s: the answers to what came before leave first', async (_, bytes, expected) => {
    expect(statuses(await send(bytes))).toEqual(expected);
  });

  const BODY = 'POST /count HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n';
  const BROKEN = `${BODY}transfer-encoding: chunked\r\n\r\nnot a size\r\n`;
  test.each([
    ['a body', BROKEN, [400]],
    ['a body after another request', ask('/count') + BROKEN, [200, 400]],
  ])('%s that breaks off unparsed is not waited for', async (_, bytes, expected) => {
    expect(statuses(await send(bytes))).toEqual(expected);
  });

  test.each([
    ['a body', '', [408]],
    ['a body after another request', ask('/count'), [200, 408]],
  ])('%s that comes too slowly is not waited for', async (_, before, expected) => {
    const socket = connect();
    const [there] = (await once(app.server, 'connection')) as [net.Socket];
    const answers = text(socket);
    socket.write(`${before}${BODY}content-length: 9\r\n\r\n{`);
    await wait(50);
    const late = Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' });
    app.server.emit('clientError', late, there);
    expect(statuses(await answers)).toEqual(expected);
  });

  test.each([1, 3])('left before its stream opened, %i at once: none stays open', async (times) => {
    const before = opened;
    for (let i = 0; i < times; i++) {
      const socket = connect();
      socket.write(ask('/events'));
      await wait(50);
      socket.resetAndDestroy();
      await wait(50);
      letGo();
    }
    await expect.poll(() => opened - before).toBe(times);
    expect(streams).toBe(0);
  });

  test('left in the middle of a body: nobody’s fault here', async () => {
    const before = failed;
    const socket = connect();
    socket.write(
      'POST /count HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
    );
    await wait(50);
    socket.resetAndDestroy();
    await expect.poll(() => failed - before).toBe(1);
    expect(lines.filter((line) => line.includes('request failed'))).toEqual([]);
  });
});
