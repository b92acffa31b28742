import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundled, runSft, SFT } from './fake/process.ts';
import { FakeService, TEAM, TOKEN } from './fake/service.ts';
import { SERVER } from './fake/things.ts';

bundled();
let service: FakeService;
beforeAll(async () => {
  service = await new FakeService().start();
  service.on('listServers', () => ({ body: { list: [SERVER] } }));
});
afterAll(() => service.stop());
const env = () => ({ SFT_URL: service.url, SFT_TEAM: TEAM, SFT_TOKEN: TOKEN });

/** What Node had loaded when the program ended. */
const REPORT = `data:text/javascript,
import { createRequire } from 'node:module';
const { cache } = createRequire('file:///');
process.on('exit', () => process._rawDebug(JSON.stringify([
  ...process.moduleLoadList, ...Object.keys(cache)])));`.replaceAll('\n', ' ');

const loadedBy = async (...words: string[]): Promise<string> =>
  (await runSft(words, { ...env(), NODE_OPTIONS: `--import=${REPORT.replaceAll(' ', '%20')}` }))
    .err;

test('list-servers loads no SSH, no prompts, no WebSocket, no TLS', async () => {
  const loaded = await loadedBy('list-servers');
  expect(loaded).toContain('NativeModule _http_client');
  for (const name of ['ssh2', 'inquirer', 'undici', 'NativeModule tls', 'NativeModule readline'])
    expect(loaded).not.toContain(name);
});

test('--version loads nothing but itself', async () => {
  const loaded = await loadedBy('--version');
  for (const name of ['NativeModule net', '_http_client', 'ssh2'])
    expect(loaded).not.toContain(name);
});

test('how long it takes to start (printed, never asserted)', () => {
  const time = (args: readonly string[]): number => {
    const started = performance.now();
    spawnSync(process.execPath, args, { env: { ...process.env, ...env() } });
    return performance.now() - started;
  };
  const runs = { 'node -e 0': ['-e', '0'], 'sft --version': [SFT, '--version'] };
  const best = Object.entries(runs).map(
    ([name, args]) => [name, Math.min(...Array.from({ length: 5 }, () => time(args)))] as const,
  );
  const base = best[0]?.[1] ?? 1;
  for (const [name, ms] of best)
    console.log(`${name}: ${ms.toFixed(0)} ms, ${(ms / base).toFixed(2)} x`);
});
