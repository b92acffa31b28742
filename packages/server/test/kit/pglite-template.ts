import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import v8 from 'node:v8';
import { sql } from 'kysely';
import { type DatabaseHandle, openDatabase } from '../../src/platform/db.ts';
import { QUEUES } from '../../src/platform/job-table.ts';
import { startJobs } from '../../src/platform/jobs.ts';
import { migrate, readMigrations } from '../../src/platform/migrate.ts';
import { SnapshotFS } from './snapshot-fs.ts';

const CACHE = path.resolve(import.meta.dirname, '../../../../node_modules/.cache/postern-test');
const KEEP = 3;

/**
 * A migrated data directory as a file, to be loaded by each worker. Made once for each
 * set of migrations, and kept between runs: initdb takes seconds.
 *
 * @returns the path of a file with a serialized Snapshot
 */
export async function pgliteTemplate(): Promise<string> {
  const file = path.join(CACHE, `pglite-${key()}.bin`);
  if (fs.existsSync(file)) return file;
  fs.mkdirSync(CACHE, { recursive: true });
  const files = new SnapshotFS();
  const db = await openDatabase({ files });
  await migrate(db);
  const jobs = await startJobs(db, (error) => {
    throw error;
  });
  await jobs.stop();
  await dropSpare(db);
  const partial = `${file}.${process.pid}`;
  fs.writeFileSync(partial, v8.serialize(files.snapshot()));
  await db.close();
  fs.renameSync(partial, file);
  dropOld();
  return file;
}

/** Two thirds of the files that each loading would unpack belong to databases nobody opens. */
async function dropSpare(db: DatabaseHandle): Promise<void> {
  await sql`update pg_database set datistemplate = false`.execute(db.sql);
  for (const name of ['template0', 'template1'])
    await sql`drop database ${sql.id(name)}`.execute(db.sql);
  await sql`checkpoint`.execute(db.sql);
}

function key(): string {
  const hash = createHash('sha256').update(JSON.stringify(QUEUES));
  for (const name of ['pglite-template.ts', 'snapshot-fs.ts'])
    hash.update(fs.readFileSync(path.join(import.meta.dirname, name)));
  for (const { checksum } of readMigrations()) hash.update(checksum);
  const require = createRequire(import.meta.url);
  for (const name of ['@electric-sql/pglite', 'pg-boss']) hash.update(require.resolve(name));
  return hash.digest('hex').slice(0, 16);
}

function dropOld(): void {
  const files = fs.readdirSync(CACHE).map((name) => path.join(CACHE, name));
  const newest = files.sort((a, b) => fs.statSync(b).mtimeMs - fs.statSync(a).mtimeMs);
  for (const old of newest.slice(KEEP)) fs.rmSync(old, { force: true });
}
