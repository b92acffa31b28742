import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaveTogether } from '../../src/platform/leave-together.ts';

describe('answers of one turn of the event loop', () => {
  const happened: string[] = [];
  const logged: string[] = [];
  let app: FastifyInstance;

  beforeAll(async () => {
    const stream = { write: (line: string) => void logged.push(line) };
    app = fastify({ logger: { level: 'error', stream } });
    leaveTogether(app);
    app.addHook('onResponse', async ({ url }) => void happened.push(`${url} left`));
    app.get('/a', async () => {
      setImmediate(() => happened.push('the turn ends'));
      return 'a';
    });
    app.get('/gone', async (request) => {
      request.raw.socket.destroy();
      return 'nobody reads this';
    });
    app.get('/unwritable', async (_request, reply) => reply.header('x-line', 'one\ntwo').send('x'));
    await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => app.close());

  it('leave when it ends, after all its work', async () => {
    await app.inject('/a');
    expect(happened).toEqual(['the turn ends', '/a left']);
  });

  it('one whose reader has gone harms nobody', async () => {
    const { port } = app.server.address() as AddressInfo;
    const gone = connect(port, '127.0.0.1').on('error', () => {});
    gone.write('GET /gone HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(gone, 'close');
    expect((await fetch(`http://127.0.0.1:${port}/a`)).status).toBe(200);
    expect(logged).toEqual([]);
  });

  it('one that cannot be written ends its connection, not the service', async () => {
    const { port } = app.server.address() as AddressInfo;
    await expect(fetch(`http://127.0.0.1:${port}/unwritable`)).rejects.toThrow('fetch failed');
    expect((await fetch(`http://127.0.0.1:${port}/a`)).status).toBe(200);
    expect(logged).toEqual([expect.stringMatching(/"trace_id":".+ERR_INVALID_CHAR/)]);
  });
});
