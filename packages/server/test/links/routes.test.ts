import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { buildApp } from '../../src/app.ts';
import { registerLinkRoutes } from '../../src/links/index.ts';
import type { LinkRouteWorld } from '../../src/links/routes.ts';
import { createLogger } from '../../src/platform/logging.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { FORM } from './world.ts';

const SECRET = 'Zm9sbG93IHRoZSB3aGl0ZSByYWJiaXQsIG5vdCB0aGlz';
const URL = `/decide/${SECRET}`;
const FIELDS = 'decision=approve&etag=1&step=0&access_token=pst_hunter2';

const unexpected = (): never => {
  throw new Error('not to be called here');
};

describe('the routes of the decision page', () => {
  let app: FastifyInstance;
  const lines: string[] = [];
  afterEach(() => app?.close());

  const open = async (transact: LinkRouteWorld['transact'], requests_per_minute?: number) => {
    app = await buildApp({
      version: '1.2.3',
      log: createLogger('trace', { write: (line) => void lines.push(line) }),
      metrics: createMetrics(),
      checks: [],
      ...(requests_per_minute === undefined ? {} : { requests_per_minute }),
      register: (instance) =>
        registerLinkRoutes(instance, {
          team: 'demo',
          publicUrl: undefined,
          transact,
          present: unexpected,
          authenticate: unexpected,
          spend: unexpected,
          permit: unexpected,
          refused: unexpected,
          clock: { assertSafe: unexpected },
        }),
    });
    return {
      get: () => app.inject(URL),
      post: (payload = FIELDS) =>
        app.inject({ method: 'POST', url: URL, payload, headers: { 'content-type': FORM } }),
    };
  };
  const invalid = (async () => ({ kind: 'invalid' })) as unknown as LinkRouteWorld['transact'];

  it('count against the limit of requests, and say so on a page', async () => {
    const { get, post } = await open(invalid, 3);
    const statuses = [];
    for (const act of [get, post, get, post, get]) statuses.push((await act()).statusCode);
    expect(statuses).toEqual([404, 404, 404, 429, 429]);
    const over = await get();
    expect(over.body).toContain('<h1>Too many requests</h1>');
    expect(over.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'retry-after': expect.any(String),
      'cache-control': 'no-store',
    });
  });

  it('a fault of ours, and a database that is away: a page that says nothing of it', async () => {
    const faults: [string, object, number][] = [
      ['duplicate key', { parameters: [SECRET], detail: `Key (hash)=(${SECRET})` }, 500],
      ['connect ECONNREFUSED', { code: 'ECONNREFUSED' }, 503],
    ];
    for (const [message, more, status] of faults) {
      const { get, post } = await open(() =>
        Promise.reject(Object.assign(new Error(message), more)),
      );
      for (const response of [await get(), await post()]) {
        expect(response.statusCode).toBe(status);
        expect(response.headers['content-type']).toBe('text/html; charset=utf-8');
        expect(response.body).toContain(response.headers['x-trace-id']);
        expect(response.body).not.toMatch(/duplicate key|ECONNREFUSED|hunter2/);
      }
      await app.close();
    }
    expect(lines.some((line) => line.includes('duplicate key'))).toBe(true);
  });

  it('whatever the path looks like: no log line has it', async () => {
    await open(invalid);
    const before = lines.length;
    for (const url of [
      `${URL}%zz`,
      `${URL}/`,
      `${URL}/more`,
      `/decide/${SECRET.repeat(10)}`,
      `${URL}%00`,
      `/Decide/${SECRET}`,
    ])
      for (const method of ['GET', 'HEAD', 'POST', 'DELETE'] as const) {
        const { statusCode } = await app.inject({ method, url });
        expect([400, 404]).toContain(statusCode);
      }
    expect(lines.length).toBeGreaterThan(before);
    expect(lines.join('\n')).not.toMatch(new RegExp(`${SECRET}|hunter2`));
  });
});
