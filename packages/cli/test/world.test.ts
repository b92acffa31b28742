import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '@postern/shared';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nodeFiles } from '../src/world/node-files.ts';
import { bundled, runSft, startSft } from './fake/process.ts';
import { FakeService, TEAM, TOKEN } from './fake/service.ts';
import { SERVER } from './fake/things.ts';

/** Makes the certificate; Node can read one but not make one. */
const OPENSSL = process.env.OPENSSL ?? 'openssl';
const hasOpenssl = spawnSync(OPENSSL, ['version']).status === 0;

bundled();
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sft-world-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const env = (url: string, more = {}) => ({
  SFT_URL: url,
  SFT_TEAM: TEAM,
  SFT_TOKEN: TOKEN,
  ...more,
});

describe('files', () => {
  test('a private file in a private folder, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      const path = join(folder, 'deep', 'login.json');
      await nodeFiles.writePrivate(path, 'one');
      await nodeFiles.writePrivate(path, 'two');
      expect(readFileSync(path, 'utf8')).toBe('two');
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(statSync(join(folder, 'deep')).mode & 0o777).toBe(0o700);
    } finally {
      process.umask(before);
    }
  });

  test('a file that others could read becomes private when it is written anew', async () => {
    const path = join(folder, 'open');
    writeFileSync(path, 'x', { mode: 0o666 });
    await nodeFiles.writePrivate(path, 'y');
    expect(await nodeFiles.mode(path)).toBe(0o600);
  });
});

describe.skipIf(!hasOpenssl)('a service with a certificate of its own (openssl)', () => {
  let server: ReturnType<typeof createServer>;
  let url = '';
  let ca = '';
  beforeAll(async () => {
    const key = join(folder, 'key.pem');
    ca = join(folder, 'cert.pem');
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const kind = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    const made = spawnSync(OPENSSL, [
      'req',
      '-x509',
      ...kind,
      ...subject,
      '-keyout',
      key,
      '-out',
      ca,
    ]);
    expect(made.status).toBe(0);
    server = createServer(
      { key: readFileSync(key), cert: readFileSync(ca) },
      (_request, response) => {
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ list: [SERVER] }));
      },
    );
    await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
    url = `https://localhost:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  test('deny: it is not trusted, 69 names --ca-file', async () => {
    const { exit, err } = await runSft(['list-servers'], env(url));
    expect(exit).toBe(EXIT.unavailable);
    expect(err).toMatch(/its certificate is not trusted .*\n.*--ca-file/);
  });

  test("deny: Node's own switch turns nothing off", async () => {
    const off = { NODE_TLS_REJECT_UNAUTHORIZED: '0', NODE_NO_WARNINGS: '1' };
    expect((await runSft(['list-servers'], env(url, off))).exit).toBe(EXIT.unavailable);
  });

  test('allow: --ca-file', async () => {
    const { exit, out } = await runSft(['list-servers', '--ca-file', ca], env(url));
    expect([exit, out.toString()]).toEqual([0, expect.stringContaining(SERVER.name)]);
  });

  test('deny: the certificate is for another name', async () => {
    const other = url.replace('localhost', '127.0.0.1');
    const ran = await runSft(['list-servers', '--ca-file', ca], env(other));
    expect(ran.exit).toBe(EXIT.unavailable);
  });
});

describe('a real process', () => {
  test('Ctrl-C while the service does not answer: 130', async () => {
    const service = await new FakeService().start();
    const asked = Promise.withResolvers<void>();
    service.on('listServers', () => {
      asked.resolve();
      return undefined;
    });
    const running = startSft(['list-servers'], env(service.url));
    await asked.promise;
    running.kill('SIGINT');
    const { exit, err } = await running.done;
    expect([exit, err]).toEqual([
      EXIT.interrupted,
      'sft: Interrupted.\nRun the same command again.\n',
    ]);
    await service.stop();
  });

  test('the token is in no line, not even under debug', async () => {
    const service = await new FakeService().start();
    service.on('listServers', () => ({ body: { list: [] } }));
    const ran = await runSft(['list-servers'], env(service.url, { SFT_LOG_LEVEL: 'debug' }));
    expect(ran.err).toContain('GET http://127.0.0.1');
    expect(ran.err + ran.out.toString()).not.toContain(TOKEN);
    const bad = await runSft(
      ['list-servers'],
      env('http://127.0.0.1:1', { SFT_LOG_LEVEL: 'debug' }),
    );
    expect(bad.err).not.toContain(TOKEN);
    await service.stop();
  });
});
