import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { giveDatabase } from './world/first-data.ts';
import { freePort } from './world/free-port.ts';
import { baseEnv, type Ran, ROOT, run, start } from './world/run.ts';
import { temporary } from './world/service.ts';

/** What goes wrong at the very first start must not leave a service that nobody administers. */
let directory: string;
let token: string;

beforeEach(() => {
  directory = temporary(tmpdir(), 'first');
  token = join(directory, 'bootstrap.token');
  const key = `${randomBytes(32).toString('base64')}\n`;
  writeFileSync(join(directory, 'master.key'), key, { mode: 0o600 });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const environment = (port: number): Record<string, string> => ({
  ...baseEnv(directory),
  POSTERN_TEAM: 'demo',
  POSTERN_LISTEN_PORT: String(port),
  POSTERN_DATA_DIR: join(directory, 'data'),
  POSTERN_MASTER_KEY_FILE: join(directory, 'master.key'),
  POSTERN_BOOTSTRAP_TOKEN_FILE: token,
  POSTERN_GATEWAY_ENABLED: 'false',
});
const serve = (port: number): Promise<Ran> =>
  run(join(ROOT, 'bin/posternd'), ['serve'], {
    cwd: directory,
    env: { ...environment(port), POSTERN_LOG_LEVEL: 'silent' },
  });

/** Starts it, and asks it with the token of its first start who that is. */
async function bootstrapped(): Promise<Ran> {
  const port = await freePort();
  const service = start(join(ROOT, 'bin/posternd'), ['serve'], {
    cwd: directory,
    env: environment(port),
  });
  try {
    await service.until('"msg":"serving"');
    return await run(join(ROOT, 'bin/sft'), ['whoami'], {
      env: {
        ...baseEnv(directory),
        SFT_URL: `http://127.0.0.1:${port}`,
        SFT_TEAM: 'demo',
        SFT_TOKEN_FILE: token,
      },
    });
  } finally {
    service.child.kill('SIGTERM');
    await service.ended;
  }
}

it('the port is taken: 78, and the token that was made opens the next start', async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  const { port } = taken.address() as { port: number };
  const first = await serve(port);
  taken.close();
  expect(first.code).toBe(78);
  expect(first.stderr).toContain(`cannot listen on 127.0.0.1:${port}`);
  const who = await bootstrapped();
  expect([who.code, who.stderr]).toEqual([0, '']);
  expect(who.stdout).toContain('pam_admin');
}, 180_000);

it('the token file is there already: 78, it stays, and no team is made without its token', async () => {
  await giveDatabase(join(directory, 'data'));
  writeFileSync(token, 'somebody’s own\n');
  const refused = await serve(await freePort());
  expect(refused).toMatchObject({ code: 78, stdout: '' });
  expect(refused.stderr).toMatch(/^posternd: .+ is there already, .+\nRemove it, .+\n$/);
  expect(readFileSync(token, 'utf8')).toBe('somebody’s own\n');
  rmSync(token);
  expect((await bootstrapped()).stdout).toContain('pam_admin');
  expect(existsSync(token)).toBe(true);
}, 180_000);
