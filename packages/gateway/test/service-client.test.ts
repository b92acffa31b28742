import { createServer, type RequestListener } from 'node:http';
import { type GatewaySignal, generateEd25519 } from '@postern/shared';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createServiceClient } from '../src/service-client.ts';
import { ServiceRefusal, ServiceUnavailable } from '../src/service-port.ts';
import { EventReader } from '../src/sse.ts';
import { type HttpService, startHttpService } from './http-service.ts';
import { until } from './run.ts';

const GATEWAY = '01900000-0000-7000-8000-0000000000aa';
const SESSION = '01900000-0000-7000-8000-0000000000ab';
const key = generateEd25519();

const clientOf = (url: string, more = {}) =>
  createServiceClient({
    api: new URL(url),
    team: 'demo',
    ca: undefined,
    gatewayId: GATEWAY,
    key: key.private,
    hostKeys: [key.public_line],
    now: Date.now,
    ...more,
  });

const ADMISSION = { session_id: SESSION, blob: 'AA==', signature: 'AA==', client_address: '::1' };

describe('calls', () => {
  let service: HttpService;
  beforeEach(async () => {
    service = await startHttpService();
    service.know(GATEWAY, key.public_line);
  });
  afterEach(() => service.close());

  test('are signed, each with a nonce of its own', async () => {
    const client = clientOf(service.url);
    expect(await client.renew([])).toEqual({ lease_seconds: 15, sessions: [], cut: [] });
    await client.renew([SESSION]);
    await client.report(SESSION, { type: 'login' });
    expect(service.refused).toEqual([]);
    expect(service.fake.renewals).toEqual([[], [SESSION]]);
    expect(service.fake.reports).toEqual([{ id: SESSION, report: { type: 'login' } }]);
    client.close();
  });

  test('deny: signed by another key', async () => {
    const client = clientOf(service.url, { key: generateEd25519().private });
    await expect(client.renew([])).rejects.toMatchObject({ code: 'unauthenticated', status: 401 });
    client.close();
  });

  test('a refusal keeps the line of the service', async () => {
    const client = clientOf(service.url);
    const refused = client.admit(ADMISSION);
    await expect(refused).rejects.toBeInstanceOf(ServiceRefusal);
    await expect(refused).rejects.toMatchObject({
      code: 'not_permitted',
      message: 'no such session',
    });
    client.close();
  });

  test('the stream delivers signals until it is stopped', async () => {
    const client = clientOf(service.url);
    const seen: GatewaySignal[] = [];
    const stop = new AbortController();
    const stream = client.signals((signal) => seen.push(signal), stop.signal).catch(() => 'over');
    await until('hello', () => seen.length === 1);
    const cut = {
      type: 'cut',
      session_id: SESSION,
      reason: 'revoked',
      message: 'by Dana',
    } as const;
    service.fake.signal(cut);
    await until('cut', () => seen.length === 2);
    expect(seen).toEqual([{ type: 'hello' }, cut]);
    stop.abort();
    expect(await stream).toBe('over');
    client.close();
  });
});

describe('a service that answers nonsense is unavailable, never a yes', () => {
  const cases: Array<[string, RequestListener]> = [
    ['an empty body', (_q, r) => r.end()],
    ['no JSON', (_q, r) => r.end('<html>')],
    ['null', (_q, r) => r.end('null')],
    ['another shape', (_q, r) => r.end('{"session_id":"x","channels":["exec"]}')],
    ['a field too many', (_q, r) => r.end('{"lease_seconds":15,"sessions":[],"cut":[],"x":1}')],
    ['an error without a problem', (_q, r) => r.writeHead(500).end('oops')],
    ['a redirect', (_q, r) => r.writeHead(302, { location: 'http://127.0.0.1/' }).end()],
    ['an answer without an end', (_q, r) => r.write(Buffer.alloc(2 * 1024 * 1024, 0x20))],
    ['a connection that breaks', (q) => q.socket.destroy()],
  ];
  for (const [what, listener] of cases)
    test(what, async () => {
      const server = createServer(listener);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as { port: number };
      const client = clientOf(`http://127.0.0.1:${port}`);
      await expect(client.admit(ADMISSION)).rejects.toBeInstanceOf(ServiceUnavailable);
      await expect(client.renew([])).rejects.toBeInstanceOf(ServiceUnavailable);
      client.close();
      server.closeAllConnections();
      server.close();
    });
});

describe('server-sent events', () => {
  const read = (...parts: string[]) => {
    const reader = new EventReader();
    return parts.flatMap((part) => reader.take(Buffer.from(part)));
  };
  test('in one piece, in many, with either line end', () => {
    expect(read('event: signal\ndata: {"a":1}\n\ndata: b\n\n')).toEqual(['{"a":1}', 'b']);
    expect(read('da', 'ta: o', 'ne\n', '\nda', 'ta:two\n\n')).toEqual(['one', 'two']);
    expect(read('data: a\r\ndata: b\r\n\r\n')).toEqual(['a\nb']);
  });
  test('comments and other fields are passed over', () => {
    expect(read(': ping\n\n', 'id: 7\nretry: 5\n\n', 'data: x\n\n')).toEqual(['x']);
  });
  test('characters that two parts share', () => {
    const bytes = Buffer.from('data: €\n\n');
    const reader = new EventReader();
    expect([...reader.take(bytes.subarray(0, 7)), ...reader.take(bytes.subarray(7))]).toEqual([
      '€',
    ]);
  });
  test('deny: an event without an end', () => {
    expect(() => read('data: '.padEnd(100_000, 'x'))).toThrow('too large');
    expect(() =>
      read(...Array.from({ length: 100 }, () => `data: ${'x'.repeat(1000)}\n`)),
    ).toThrow();
  });
});
