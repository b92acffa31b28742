import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createWriteStream, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { baseEnv, ROOT } from './run.ts';

export interface ServiceOptions {
  /** Everything the service writes goes below it. */
  readonly directory: string;
  /** PostgreSQL; PGlite in `directory` when left out. */
  readonly databaseUrl?: string;
  readonly demo?: boolean;
  /** How it calls itself: for links, passkeys and logins by jobs. */
  readonly publicHost?: '127.0.0.1' | 'localhost';
  readonly env?: Readonly<Record<string, string>>;
}

export interface Service {
  readonly url: string;
  readonly gatewayPort: number;
  readonly team: string;
  readonly directory: string;
  readonly masterKey: string;
  readonly recordings: string;
  readonly logFile: string;
  readonly pid: number;
  /** Of the account `bootstrap`; valid for an hour after the first start. */
  readonly bootstrapToken: string;
  /** Ends it as an operator would; `SIGKILL` as a crash would. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
  /** Starts it again on the same data and ports. @param env other settings */
  restart(env?: Readonly<Record<string, string>>): Promise<Service>;
}

export const TEAM = 'demo';
/** A first start on an embedded database takes seconds, on a machine that is busy a minute. */
const READY_MS = 180_000;

interface Place {
  readonly port: number;
  readonly gatewayPort: number;
  readonly masterKey: string;
}

/** `posternd serve` as a process of its own, with the gateway as its child. */
export async function startService(options: ServiceOptions, place?: Place): Promise<Service> {
  const { directory } = options;
  const at: Place = place ?? {
    port: await freePort(),
    gatewayPort: await freePort(),
    masterKey: randomBytes(32).toString('base64'),
  };
  const keyFile = join(directory, 'master.key');
  const tokenFile = join(directory, 'bootstrap.token');
  const recordings = join(directory, 'recordings');
  const logFile = join(directory, 'posternd.log');
  writeFileSync(keyFile, `${at.masterKey}\n`, { mode: 0o600 });
  const first = !existsSync(tokenFile);
  const child = spawn(join(ROOT, 'bin/posternd'), ['serve', ...(options.demo ? ['--demo'] : [])], {
    cwd: directory,
    env: {
      ...baseEnv(directory),
      POSTERN_TEAM: TEAM,
      POSTERN_LISTEN_HOST: '127.0.0.1',
      POSTERN_LISTEN_PORT: String(at.port),
      POSTERN_GATEWAY_HOST: '127.0.0.1',
      POSTERN_GATEWAY_PORT: String(at.gatewayPort),
      POSTERN_DATA_DIR: join(directory, 'data'),
      POSTERN_RECORDING_DIR: recordings,
      POSTERN_MASTER_KEY_FILE: keyFile,
      POSTERN_STATIC_TOKENS: 'true',
      ...(options.publicHost === undefined
        ? {}
        : { POSTERN_PUBLIC_URL: `http://${options.publicHost}:${at.port}` }),
      ...(first ? { POSTERN_BOOTSTRAP_TOKEN_FILE: tokenFile } : {}),
      ...(options.databaseUrl === undefined ? {} : { POSTERN_DATABASE_URL: options.databaseUrl }),
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log = createWriteStream(logFile, { flags: 'a' });
  child.stdout.pipe(log, { end: false });
  child.stderr.pipe(log, { end: false });
  const url = `http://127.0.0.1:${at.port}`;
  await untilReady(child, url, logFile);
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => ended(child, signal);
  return {
    url,
    gatewayPort: at.gatewayPort,
    team: TEAM,
    directory,
    masterKey: at.masterKey,
    recordings,
    logFile,
    pid: child.pid ?? 0,
    bootstrapToken: readFileSync(tokenFile, 'utf8').trim(),
    stop,
    restart: (env = {}) => startService({ ...options, env: { ...options.env, ...env } }, at),
  };
}

async function untilReady(child: ChildProcess, url: string, logFile: string): Promise<void> {
  const end = Date.now() + READY_MS;
  while (Date.now() < end) {
    if (child.exitCode !== null)
      throw new Error(`posternd ended with ${child.exitCode}:\n${readFileSync(logFile, 'utf8')}`);
    const ready = await fetch(`${url}/readyz`).catch(() => undefined);
    if (ready?.ok) return;
    await new Promise((wait) => setTimeout(wait, 100));
  }
  child.kill('SIGKILL');
  throw new Error(`posternd was not ready in time:\n${readFileSync(logFile, 'utf8')}`);
}

function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((done) => {
    child.once('exit', (code) => done(code));
    child.kill(signal);
  });
}

export const temporary = (parent: string, name: string): string =>
  mkdtempSync(join(parent, `postern-${name}-`));
