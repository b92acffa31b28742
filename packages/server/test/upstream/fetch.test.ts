import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRIVATE, type Resolve } from '../../src/notifications/index.ts';
import { createProviderFetch } from '../../src/upstream/jobs-fetch.ts';

/** A name server that gives these addresses, one list a question. */
const names = (...answers: string[][]): Resolve & { asked: string[] } => {
  const asked: string[] = [];
  const resolve = ((host: string, _options: object, done: (...all: unknown[]) => void) => {
    asked.push(host);
    const addresses = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    done(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  }) as unknown as Resolve & { asked: string[] };
  return Object.assign(resolve, { asked });
};
const GET = { method: 'GET', headers: {} };

describe('what the provider is asked with', () => {
  let server: Server;
  let base: string;
  const seen: string[] = [];
  beforeAll(async () => {
    server = createServer((request, response) => {
      seen.push(request.url ?? '');
      if (request.url === '/slow') {
        response.writeHead(200);
        const dripping = setInterval(() => response.write('a'), 20);
        response.on('close', () => clearInterval(dripping));
        return;
      }
      if (request.url === '/huge') return void response.end(Buffer.alloc(600 * 1024));
      if (request.url === '/header')
        return void response.setHeader('x', 'a'.repeat(20_000)).end('late');
      if (request.url === '/away')
        return void response.writeHead(302, { location: `${base}/there` }).end();
      if (request.url === '/odd') return void response.writeHead(999).end();
      response.writeHead(200, { 'content-type': 'text/plain', 'set-cookie': 'a=b' }).end('here');
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  const ask = createProviderFetch({ private_hosts: ['127.0.0.1'], whole_ms: 300 });
  const code = (work: Promise<unknown>) =>
    work.then(
      () => 'answered',
      (error: { code?: string }) => error.code,
    );

  it('answers with status, type and body, and with no other header', async () => {
    const response = await ask(`${base}/`, GET);
    expect([response.status, await response.text()]).toEqual([200, 'here']);
    expect([...response.headers.keys()]).toEqual(['content-type']);
  });

  it.each([
    ['http://10.0.0.1/'],
    ['http://idp.example.test/'],
    ['file:///etc/passwd'],
    ['ftp://idp.example.test/'],
    ['https://user:secret@idp.example.test/'],
  ])('%s: only https without a user, or http on loopback', async (url) => {
    expect(await code(ask(url, GET))).toBe('EPROTO');
  });

  it.each([
    'https://169.254.169.254/latest/meta-data',
    'https://10.0.0.1/',
    'https://[::1]/',
    'https://[fd00::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://167772161/',
    'https://0x0a.1.2.3/',
  ])('%s: an address in the URL that is private', async (url) => {
    expect(await code(ask(url, GET))).toBe(PRIVATE);
  });

  it.each([[['10.0.0.1']], [['93.184.216.34', '192.168.1.1']], [['::1']]])(
    'a name that is a private address: %j',
    async (addresses) => {
      const resolve = names(addresses);
      const asking = createProviderFetch({ private_hosts: [], whole_ms: 300 }, resolve);
      expect(await code(asking('https://idp.example.test/', GET))).toBe(PRIVATE);
      expect(resolve.asked).toEqual(['idp.example.test']);
    },
  );

  it('http to a name is refused, even one that is permitted', async () => {
    const asking = createProviderFetch(
      { private_hosts: ['idp.example.test'], whole_ms: 300 },
      names(['127.0.0.1']),
    );
    expect(await code(asking('http://idp.example.test/', GET))).toBe('EPROTO');
  });

  it('permission is one host’s, not that of all on loopback', async () => {
    expect(await code(ask(base.replace('127.0.0.1', '127.0.0.2'), GET))).toBe('EPROTO');
  });

  it('a way to elsewhere is not followed', async () => {
    expect((await ask(`${base}/away`, GET)).status).toBe(302);
    expect(seen).not.toContain('/there');
  });

  it.each([
    ['/slow', 'ETIMEDOUT'],
    ['/huge', 'EMSGSIZE'],
    ['/header', 'HPE_HEADER_OVERFLOW'],
    ['/odd', 'EPROTO'],
  ])('%s ends with %s', async (path, said) => {
    expect(await code(ask(base + path, GET))).toBe(said);
  });

  it('ends when it is not waited for any more', async () => {
    expect(await code(ask(`${base}/slow`, { ...GET, signal: AbortSignal.abort() }))).toBe(
      'ABORT_ERR',
    );
  });
});
