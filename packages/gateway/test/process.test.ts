import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { ChildHello, generateEd25519, toOpenSshPrivateKey } from '@postern/shared';
import { Client, type ClientChannel } from 'ssh2';
import { Value } from 'typebox/value';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { castPath } from '../src/recording.ts';
import { type HttpService, startHttpService } from './http-service.ts';
import { collect, run, until } from './run.ts';
import { startTarget, type TestTarget } from './target.ts';

const ROOT = realpathSync(resolve(import.meta.dirname, '../../..'));
const MAIN = join(ROOT, 'packages/gateway/src/main.ts');
const GATEWAY = '01900000-0000-7000-8000-0000000000aa';

let folder: string;
let service: HttpService;
let target: TestTarget;
const children: ChildProcess[] = [];

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'postern-process-')));
  mkdirSync(join(folder, 'recordings'));
  service = await startHttpService();
  target = await startTarget();
});
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  await target.close();
  await service.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stderr(): string;
}

function watch(child: ChildProcess): Running {
  children.push(child);
  let text = '';
  child.stderr?.on('data', (bytes: Buffer) => {
    text += bytes;
  });
  const exited = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  return { child, exited, stderr: () => text };
}

/** As `posternd serve` starts it. */
async function startChild() {
  const readable = ['packages/gateway', 'packages/shared', 'node_modules', 'package.json'];
  const recordings = join(folder, 'recordings');
  const flags = [
    '--permission',
    '--allow-addons',
    ...[...readable.map((path) => join(ROOT, path)), recordings].map((p) => `--allow-fs-read=${p}`),
    `--allow-fs-write=${recordings}`,
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
  ];
  const running = watch(
    spawn(process.execPath, [...flags, MAIN], {
      cwd: folder,
      env: {
        POSTERN_GATEWAY_API: service.url,
        POSTERN_GATEWAY_TEAM: 'demo',
        POSTERN_GATEWAY_LISTEN_PORT: '0',
        POSTERN_GATEWAY_RECORDING_DIR: recordings,
      },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    }),
  );
  const pipe = running.child.stdio[3] as Duplex;
  pipe.on('error', () => {});
  const line = await new Promise<string>((done, fail) => {
    createInterface({ input: pipe }).once('line', done);
    void running.exited.then(() => fail(new Error(running.stderr())));
  });
  const hello: unknown = JSON.parse(line);
  if (!Value.Check(ChildHello, hello)) throw new Error(`not a hello: ${line}`);
  return { ...running, pipe, hello };
}

async function startEnrolledChild() {
  const started = await startChild();
  service.know(GATEWAY, started.hello.public_key);
  started.pipe.write(`${JSON.stringify({ gateway_id: GATEWAY })}\n`);
  await until('its stream', () => service.streams > 0);
  return started;
}

async function login(port: number): Promise<{ readonly client: Client; readonly id: string }> {
  const pair = generateEd25519();
  const id = randomUUID();
  service.fake.open(pair.public_line, {
    session_id: id,
    user_name: 'ana',
    server_name: 'opa-demo-linux',
    identity: 'pamadmin1',
    request_id: null,
    channels: ['exec'],
    recorded: true,
    seconds_left: 600,
    target: {
      host: '127.0.0.1',
      port: target.port,
      host_keys: [target.hostKeyLine],
      username: 'pamadmin1',
      allow_local_address: true,
      credential: { type: 'password', password: 'vault-secret' },
    },
  });
  const client = new Client();
  await new Promise<void>((done, fail) => {
    client.once('ready', done);
    client.on('error', fail);
    const privateKey = toOpenSshPrivateKey(pair.private);
    client.connect({ host: '127.0.0.1', port, username: id, privateKey });
  });
  return { client, id };
}

describe('the child of the service', () => {
  test('under Node’s permissions: a session from login to its recording', async () => {
    const { hello, child, exited, stderr } = await startEnrolledChild();
    const { client, id } = await login(hello.port);
    expect(await run(client, 'echo through; exit 6')).toMatchObject({
      stdout: 'through\n',
      status: 6,
    });
    client.end();
    const ended = await service.fake.ended(id);
    expect(ended).toMatchObject({ reason: 'client_closed', exit_status: 6 });
    expect(existsSync(castPath(join(folder, 'recordings'), id))).toBe(true);
    expect(service.refused).toEqual([]);
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(stderr()).not.toContain('vault-secret');
    expect(stderr()).not.toContain('PRIVATE KEY');
  });

  test('is cut by a signal of the stream', async () => {
    const { hello } = await startEnrolledChild();
    const { client, id } = await login(hello.port);
    const channel = await new Promise<ClientChannel>((done, fail) => {
      client.exec('sleep 60', (error, opened) => (error ? fail(error) : done(opened)));
    });
    const outcome = collect(channel);
    await until('running', () => target.seen.commands.length > 0);
    const cut = { reason: 'revoked', message: 'revoked by Dana Reyes' };
    service.fake.signal({ type: 'cut', session_id: id, ...cut });
    expect((await outcome).stderr).toContain('revoked by Dana Reyes');
  });

  test('its environment names what it was given, its descriptors are its own and the pipe', async () => {
    const { child } = await startEnrolledChild();
    const environment = readFileSync(`/proc/${child.pid}/environ`, 'utf8').split('\0');
    const foreign = environment.filter((e) => e !== '' && !e.startsWith('POSTERN_GATEWAY_'));
    expect(foreign).toEqual([]);
    const open = readdirSync(`/proc/${child.pid}/fd`).map((fd) => {
      try {
        return readlinkSync(`/proc/${child.pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });
    const files = open.filter((path) => path.startsWith('/') && !path.startsWith('/dev/'));
    expect(files).toEqual([]);
  });

  test('SIGTERM: the person is told, the service too, and it exits 0, though nobody hangs up', async () => {
    const { hello, child, exited } = await startEnrolledChild();
    const { client, id } = await login(hello.port);
    const outcome = run(client, 'sleep 60');
    await until('running', () => target.seen.commands.length > 0);
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect((await outcome).stderr).toContain('the gateway is stopping');
    expect(await service.fake.ended(id)).toMatchObject({ reason: 'gateway_stopped' });
  });

  test('ends with its parent', async () => {
    const { hello, pipe, exited } = await startEnrolledChild();
    const { client, id } = await login(hello.port);
    const outcome = run(client, 'sleep 60').catch(() => undefined);
    await until('running', () => target.seen.commands.length > 0);
    pipe.destroy();
    expect(await exited).toBe(0);
    await outcome;
    expect(await service.fake.ended(id)).toMatchObject({ reason: 'gateway_stopped' });
  });

  test('deny: before it is enrolled nobody is admitted', async () => {
    const { hello } = await startChild();
    await expect(login(hello.port)).rejects.toThrow();
    expect(service.fake.admissions).toEqual([]);
  });

  test('deny: a welcome that is none ends it', async () => {
    for (const welcome of ['not json', '{}', '{"gateway_id":"x"}']) {
      const { pipe, exited } = await startChild();
      pipe.write(`${welcome}\n`);
      expect(await exited).toBe(70);
    }
  });
});

describe('a gateway alone', () => {
  const start = (...more: string[]) =>
    watch(
      spawn(
        process.execPath,
        [
          MAIN,
          ...['--service', service.url, '--team', 'demo', '--data-dir', join(folder, 'data')],
          ...['--listen-port', '0', '--public-host', 'gw.example', '--public-port', '2200'],
          ...more,
        ],
        { env: {}, stdio: ['ignore', 'ignore', 'pipe'] },
      ),
    );
  const portOf = (running: Running): number => {
    const line = running
      .stderr()
      .split('\n')
      .find((l) => l.includes('gateway listens'));
    return line === undefined ? 0 : JSON.parse(line).port;
  };

  test('enrols once with its code, keeps its keys to itself, and is known by them afterwards', async () => {
    const first = start('--code', 'good-code');
    await until('listens', () => portOf(first) > 0, 20_000);
    expect(service.enrolled).toEqual([
      {
        code: 'good-code',
        public_key: expect.stringMatching(/^ssh-ed25519 /),
        host_keys: [expect.stringMatching(/^ssh-ed25519 /)],
        host: 'gw.example',
        port: 2200,
      },
    ]);
    for (const file of ['call.key', 'host.key', 'gateway.id'])
      expect(statSync(join(folder, 'data', file)).mode & 0o777).toBe(0o600);
    const { client } = await login(portOf(first));
    expect((await run(client, 'echo alone')).stdout).toBe('alone\n');
    client.end();
    first.child.kill('SIGTERM');
    expect(await first.exited).toBe(0);

    const second = start();
    await until('listens', () => portOf(second) > 0, 20_000);
    expect(service.enrolled).toHaveLength(1);
    await until('renewed', () => service.fake.renewals.length > 1);
    expect(first.stderr() + second.stderr()).not.toContain('good-code');
  });

  test('deny: a port that is taken: 78, and what to set', async () => {
    const taken = start('--code', 'good-code', '--listen-port', String(target.port));
    expect(await taken.exited).toBe(78);
    expect(taken.stderr()).toMatch(
      new RegExp(
        `cannot listen on 127\\.0\\.0\\.1:${target.port} \\(EADDRINUSE\\)\\.\\n.*--listen-port`,
      ),
    );
  });

  test('deny: without a code, with a wrong one, with wrong flags: says why and exits', async () => {
    const without = start();
    expect(await without.exited).toBe(78);
    expect(without.stderr()).toContain('--code');
    const wrong = start('--code', 'guess');
    expect(await wrong.exited).toBe(77);
    expect(wrong.stderr()).toContain('the code is not valid');
    const flags = start('--insecure');
    expect(await flags.exited).toBe(64);
    expect(flags.stderr()).toMatch(
      /^posternd gateway: Unknown option '--insecure'\.\nAlone it needs .*--ca-file.*gateway\.md\n$/,
    );
    await service.close();
    const nobody = start('--code', 'good-code');
    expect(await nobody.exited).toBe(69);
  });
});
