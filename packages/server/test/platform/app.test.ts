import net, { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Strict } from '@postern/shared';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AppWorld, buildApp } from '../../src/app.ts';
import { nestsDeeper } from '../../src/platform/body.ts';
import { Refusal } from '../../src/platform/errors.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { createMetrics, observeProcess } from '../../src/platform/metrics.ts';
import { SECURITY_HEADERS } from '../../src/platform/security-headers.ts';

const lines: string[] = [];
const log = createLogger('debug', { write: (line) => void lines.push(line) });

const Target = Type.Union([
  Strict({ type: Type.Literal('server'), port: Type.Integer() }),
  Strict({ type: Type.Literal('group'), name: Type.String() }),
]);
const Either = Type.Union([
  Strict({ a: Strict({ n: Type.Integer() }) }),
  Strict({ b: Type.Null() }),
]);

function register(app: FastifyInstance): void {
  app.get('/v1/things', async () => ({}));
  app.get('/v1/refused', async () => {
    throw new Refusal('unauthenticated', 'No token.');
  });
  app.post(
    '/things',
    { schema: { body: Strict({ name: Type.String(), n: Type.Optional(Type.Integer()) }) } },
    async (request) => request.body,
  );
  app.post(
    '/targets',
    { schema: { body: Strict({ target: Target, either: Type.Optional(Either) }) } },
    async () => ({}),
  );
  app.get(
    '/things',
    { schema: { querystring: Strict({ limit: Type.Optional(Type.Integer({ minimum: 1 })) }) } },
    async (request) => request.query,
  );
  app.get('/refused', async () => {
    throw new Refusal('unauthenticated', 'No token.', { next: 'sft login' });
  });
  app.get('/bug', async () => {
    throw Object.assign(new Error('exploded'), { parameters: ['hunter2'], query: 'hunter2' });
  });
}

const open = (more: Partial<AppWorld> = {}): Promise<FastifyInstance> =>
  buildApp({ version: '1.2.3', log, metrics: createMetrics(), checks: [], register, ...more });

describe('every answer that is no success is a problem document', () => {
  let app: FastifyInstance;
  beforeAll(async () => {
    app = await open();
  });
  afterAll(() => app?.close());

  const post = (payload: string | object, type = 'application/json', url = '/things') =>
    app.inject({ method: 'POST', url, payload, headers: { 'content-type': type } });
  const broken: [string, () => ReturnType<typeof post>, number, string][] = [
    ['10 MB body', () => post(`{"name":"${'x'.repeat(10_000_000)}"}`), 413, 'body_too_large'],
    ['deep JSON', () => post('['.repeat(500_000)), 400, 'invalid_request'],
    ['deep and valid', () => post(`${'['.repeat(65)}${']'.repeat(65)}`), 400, 'invalid_request'],
    ['broken JSON', () => post('{"name":'), 400, 'invalid_request'],
    ['empty body', () => post(''), 400, 'invalid_request'],
    ['no object', () => post('"name"'), 400, 'invalid_request'],
    ['__proto__', () => post('{"name":"x","__proto__":{"a":1}}'), 400, 'invalid_request'],
    ['plain text', () => post('name', 'text/plain'), 415, 'unsupported_media_type'],
    [
      'a form',
      () => post('a=b', 'application/x-www-form-urlencoded'),
      415,
      'unsupported_media_type',
    ],
    ['a broken type', () => post('{}', 'json;;'), 415, 'unsupported_media_type'],
    ['unknown path', () => app.inject('/nothing/here?token=x'), 404, 'not_found'],
    ['broken path', () => app.inject('/%zz'), 400, 'invalid_request'],
    ['wrong method', () => app.inject({ method: 'DELETE', url: '/things' }), 404, 'not_found'],
    ['query', () => app.inject('/things?limit=0'), 400, 'invalid_request'],
    ['unknown query', () => app.inject('/things?limt=1'), 400, 'invalid_request'],
    ['a refusal', () => app.inject('/refused'), 401, 'unauthenticated'],
  ];
  test.each(broken)('%s', async (_, send, status, code) => {
    const response = await send();
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({
      type: `urn:postern:${code}`,
      code,
      status,
      trace_id: response.headers['x-trace-id'],
    });
  });

  test('a bug: 500, nothing of it in the answer, all but its parameters in the log', async () => {
    const response = await app.inject('/bug');
    expect(response.json()).toMatchObject({ code: 'internal', status: 500 });
    expect(response.body).not.toContain('exploded');
    const line = lines.find((l) => l.includes('exploded'));
    expect(JSON.parse(line!)).toMatchObject({ trace_id: response.json().trace_id, level: 'error' });
    expect(line).not.toContain('hunter2');
  });

  test('bodies are not coerced, and unknown fields are refused and pointed at', async () => {
    expect((await post({ name: 'x', n: '1' })).json().errors).toEqual([
      { pointer: '/n', code: 'type', detail: 'must be integer' },
    ]);
    expect((await post({ name: 'x', 'a/b': 1 })).json().errors).toEqual([
      { pointer: '/a~1b', code: 'unknown_field', detail: 'unknown field' },
    ]);
    expect((await post({})).json().errors).toMatchObject([{ pointer: '/name', code: 'required' }]);
    expect((await post({ name: 'x', n: 1 })).json()).toEqual({ name: 'x', n: 1 });
  });

  test('a query is text: numbers are read from it', async () => {
    expect((await app.inject('/things?limit=7')).json()).toEqual({ limit: 7 });
  });

  test('one fault in a union gives one error, with its pointer', async () => {
    const send = (target: object) => post({ target }, 'application/json', '/targets');
    expect((await send({ type: 'server', port: 'x' })).json().errors).toMatchObject([
      { pointer: '/target/port', code: 'type' },
    ]);
    expect((await send({ type: 'nothing' })).json().errors).toMatchObject([
      { pointer: '/target', code: 'discriminator' },
    ]);
    const either = async (value: unknown) => {
      const target = { type: 'group', name: 'x' };
      const { errors } = (await post({ target, either: value }, undefined, '/targets')).json();
      return errors;
    };
    expect(await either({ b: null })).toBe(undefined);
    expect(await either({ a: { n: 'x' } })).toMatchObject([{ pointer: '/either/a/n' }]);
    expect(await either(7)).toMatchObject([{ pointer: '/either', code: 'anyOf' }]);
  });

  test('a client names no trace, and the log holds no path and no query', async () => {
    const response = await app.inject({
      url: '/things?limit=3',
      headers: { 'x-request-id': 'mine', 'request-id': 'mine' },
    });
    expect(response.headers['x-trace-id']).toMatch(/^[0-9a-f-]{36}$/);
    expect(lines.join('')).not.toContain('limit=3');
    expect(lines.join('')).not.toContain('token=x');
  });

  test.each([
    ['an answer', '/things', 200],
    ['a refusal', '/things?limit=many', 400],
    ['what is not there', '/nothing', 404],
  ])('security headers: %s has all of them', async (_what, url, status) => {
    const { headers, statusCode } = await app.inject(url);
    expect(statusCode).toBe(status);
    expect(headers).toMatchObject(SECURITY_HEADERS);
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['x-frame-options']).toBe('DENY');
  });

  test('the OpenAPI document: 3.1, every operation may answer a problem', async () => {
    const document = (await app.inject('/openapi.json')).json();
    expect(document).toMatchObject({ openapi: '3.1.0', info: { version: '1.2.3' } });
    expect(Object.keys(document.paths)).toContain('/things');
    expect(document.paths['/things'].post.responses.default.content).toHaveProperty(
      'application/problem+json',
    );
    expect(document.components.schemas.Problem.properties).toHaveProperty('trace_id');
    expect(Object.keys(document.paths)).not.toContain('/metrics');
  });

  test('metrics by route pattern', async () => {
    await app.inject('/things');
    const { body } = await app.inject('/metrics');
    expect(body).toMatch(
      /postern_http_request_duration_seconds_count\{method="GET",route="\/things",status="200"\} \d/,
    );
  });
});

test('what the process uses is among the metrics, once it is observed', async () => {
  const metrics = createMetrics();
  expect(await metrics.registry.metrics()).toBe('\n');
  observeProcess(metrics);
  expect(await metrics.registry.metrics()).toContain('\nprocess_cpu_seconds_total ');
});

test('/readyz names what is wrong, and no more; /healthz does not ask', async () => {
  const app = await open({
    checks: [
      { name: 'fine', check: () => undefined },
      { name: 'clock', check: () => 'the clock is 9 s behind' },
      { name: 'database', check: async () => Promise.reject(new Error('password wrong')) },
    ],
  });
  const ready = await app.inject('/readyz');
  expect(ready.statusCode).toBe(503);
  expect(ready.json()).toEqual({
    status: 'not ready',
    failed: { clock: 'the clock is 9 s behind', database: 'failed' },
  });
  expect((await app.inject('/healthz')).statusCode).toBe(200);
  await app.close();
});

test('rate limit: per token that was good, as a problem that says when to come again', async () => {
  const app = await open({ requests_per_minute: 2 });
  const get = (token: string) =>
    app.inject({ url: '/v1/things', headers: { authorization: `Bearer ${token}` } });
  // The first is its network's still.
  for (let i = 0; i < 3; i++) expect((await get('a')).statusCode).toBe(200);
  const more = await get('a');
  expect(more.statusCode).toBe(429);
  expect(more.json()).toMatchObject({ code: 'rate_limited', status: 429 });
  expect(more.headers).toMatchObject({ 'ratelimit-remaining': '0', 'retry-after': '60' });
  expect((await get('b')).statusCode).toBe(200);
  await app.close();
});

test('rate limit: one token, however its scheme is written', async () => {
  const app = await open({ requests_per_minute: 2 });
  const statuses = [];
  for (const [i, scheme] of ['Bearer', 'bEARER', 'bEARER', 'Bearer'].entries()) {
    const headers = { authorization: `${scheme} a` };
    const from = { url: '/v1/things', remoteAddress: `192.0.2.${i}`, headers };
    statuses.push((await app.inject(from)).statusCode);
  }
  // The first is its network's still.
  expect(statuses).toEqual([200, 200, 200, 429]);
  await app.close();
});

test('rate limit: tokens that are made up are their network’s, and keep no good one away', async () => {
  const app = await open({ requests_per_minute: 2 });
  const get = (token: string, url = '/v1/refused') =>
    app.inject({ url, headers: { authorization: `Bearer ${token}` } });
  expect((await get('good', '/v1/things')).statusCode).toBe(200);
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await get(`made-up-${i}`)).statusCode);
  expect(statuses).toEqual([401, 429, 429]);
  expect((await get('good', '/v1/things')).statusCode).toBe(200);
  await app.close();
});

test('rate limit: where no token is taken, per network, whatever token is sent', async () => {
  const app = await open({ requests_per_minute: 2 });
  let sent = 0;
  const get = (remoteAddress: string) =>
    app.inject({
      url: '/things',
      remoteAddress,
      headers: { authorization: `Bearer made-up-${sent++}` },
    });
  for (const [one, same, other] of [
    ['192.0.2.1', '192.0.2.1', '192.0.2.2'],
    ['2001:db8:1:2::1', '2001:db8:1:2:3::1', '2001:db8:1:3::1'],
  ] as const) {
    const statuses = [];
    for (const from of [one, same, same, other]) statuses.push((await get(from)).statusCode);
    expect(statuses).toEqual([200, 200, 429, 200]);
  }
  await app.close();
});

test('forwarding headers count from a trusted proxy only', async () => {
  const whoami = (app: FastifyInstance) => {
    app.get('/ip', async (request) => ({ ip: request.ip }));
  };
  const headers = { 'x-forwarded-for': '203.0.113.9' };
  for (const [trusted, ip] of [
    [['127.0.0.0/8'], '203.0.113.9'],
    [['10.0.0.0/8'], '127.0.0.1'],
    [[], '127.0.0.1'],
  ] as const) {
    const app = await open({ trusted_proxies: trusted, register: whoami });
    expect((await app.inject({ url: '/ip', headers })).json()).toEqual({ ip });
    await app.close();
  }
});

describe('on a real socket', () => {
  const talk = async (app: FastifyInstance, request: string): Promise<string> => {
    await app.listen({ host: '127.0.0.1', port: 0 });
    const { port } = app.server.address() as AddressInfo;
    const socket = net.connect(port, '127.0.0.1');
    socket.write(request);
    return text(socket);
  };

  test('what is no HTTP, and headers without end, are refused and closed', async () => {
    for (const [request, status] of [
      ['hello\r\n\r\n', '400'],
      [`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`, '431'],
    ] as const) {
      const app = await open();
      expect(await talk(app, request)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      await app.close();
    }
  });

  test('limits against slow clients are set', async () => {
    const app = await open();
    expect(app.server).toMatchObject({
      headersTimeout: 10_000,
      requestTimeout: 30_000,
      keepAliveTimeout: 15_000,
      maxConnections: 4_096,
    });
    await app.close();
  });

  test('close ends the streams that would never end', async () => {
    let end: (() => void) | undefined;
    const app = await open({
      closeStreams: () => end?.(),
      register: (instance) => {
        instance.get('/stream', (_, reply) => {
          reply.hijack();
          reply.raw.writeHead(200, { 'content-type': 'text/event-stream' });
          reply.raw.write('data: 1\n\n');
          end = () => reply.raw.end();
        });
      },
    });
    const answer = talk(app, 'GET /stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await expect.poll(() => end).toBeDefined();
    await app.close();
    expect(await answer).toContain('data: 1');
  });
});

test('nesting is counted outside strings only', () => {
  expect(nestsDeeper('{"a":"[[[[[["}', 2)).toBe(false);
  expect(nestsDeeper('{"a":"\\"[[["}', 2)).toBe(false);
  expect(nestsDeeper('[[[]]]', 2)).toBe(true);
  expect(nestsDeeper('[[],[],[]]', 2)).toBe(false);
});

test('the log drops what the redaction list names, at any depth, and error parameters', () => {
  lines.length = 0;
  log.info({ a: { password: 'hunter2', b: [{ token: 'hunter2' }] }, private_key: 'hunter2' }, 'x');
  log.error({ err: Object.assign(new Error('failed'), { params: ['hunter2'] }) }, 'y');
  expect(lines).toHaveLength(2);
  expect(lines.join('')).not.toContain('hunter2');
  expect(JSON.parse(lines[1]!)).toMatchObject({ err: { message: 'failed', type: 'Error' } });
});
