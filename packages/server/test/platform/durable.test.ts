import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../src/platform/db.ts';

let directory: string;
beforeAll(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'postern-durable-'));
});
afterAll(() => fs.rmSync(directory, { recursive: true, force: true }));

test('PGlite on disk: at least one fsync for each commit, and for a checkpoint', async () => {
  let syncs = 0;
  const db = await openDatabase({ data_dir: directory, onSync: () => syncs++ });
  await sql`create table written (n int primary key)`.execute(db.sql);
  for (let n = 0; n < 5; n++) {
    const before = syncs;
    await db.transact(async (tx) => {
      await sql`insert into written values (${-1 - n})`.execute(tx);
      expect(syncs).toBe(before);
    });
    expect(syncs).toBeGreaterThan(before);
  }
  const before = syncs;
  await sql`checkpoint`.execute(db.sql);
  expect(syncs).toBeGreaterThan(before);
  const { rows } = await sql<{ fsync: string; method: string; full: string }>`
    select current_setting('fsync') as fsync, current_setting('wal_sync_method') as method,
      current_setting('full_page_writes') as "full"`.execute(db.sql);
  expect(rows).toEqual([{ fsync: 'on', method: 'fsync', full: 'on' }]);
  await db.close();
  expect(fs.statSync(path.join(directory, 'db')).mode & 0o077).toBe(0);
}, 240_000);

test('kill -9: everything acknowledged is there, each time', async () => {
  for (let round = 0; round < 3; round++) {
    const acknowledged = await writeUntilKilled(directory, round * 100_000);
    expect(acknowledged.length).toBeGreaterThan(0);
    const db = await openDatabase({ data_dir: directory });
    const { rows } = await sql<{ n: number }>`
      select count(*) as n from written where n = any(${acknowledged}::int[])`.execute(db.sql);
    expect(rows[0]?.n).toBe(acknowledged.length);
    await db.close();
  }
}, 240_000);

/** A process that writes and says so, killed in the middle. */
async function writeUntilKilled(data_dir: string, from: number): Promise<number[]> {
  const db = JSON.stringify(path.resolve(import.meta.dirname, '../../src/platform/db.ts'));
  const child = spawn(process.execPath, [
    '--input-type=module-typescript',
    '-e',
    `import { sql } from ${JSON.stringify(import.meta.resolve('kysely'))};
     import { openDatabase } from ${db};
     const db = await openDatabase({ data_dir: ${JSON.stringify(data_dir)} });
     for (let n = ${from}; ; n++) {
       await db.transact((tx) => sql\`insert into written values (\${n})\`.execute(tx));
       process.stdout.write(n + '\\n');
     }`,
  ]);
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    errors += chunk;
  });
  const acknowledged: number[] = [];
  const enough = 20 + Math.floor(Math.random() * 80);
  for await (const line of createInterface(child.stdout)) {
    acknowledged.push(Number(line));
    if (acknowledged.length === enough) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  if (acknowledged.length < enough) throw new Error(`the writer ended early: ${errors}`);
  return acknowledged;
}
