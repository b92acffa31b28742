import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { RawSession } from './backend.ts';
import type { DatabaseHandle } from './db.ts';
import { StartupError } from './errors.ts';

export interface Migration {
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

const DIRECTORY = path.join(import.meta.dirname, 'migrations');
const FILE = /^\d{4}-[a-z0-9-]+\.sql$/;
const LOCK = 7_063_905_447; // any number, the same in every replica

/** The plain-SQL files in order. */
export function readMigrations(directory: string = DIRECTORY): Migration[] {
  const names = fs.readdirSync(directory).filter((name) => name.endsWith('.sql'));
  return names.sort().map((name) => {
    if (!FILE.test(name)) throw new StartupError(`migration ${name}: not named NNNN-name.sql`);
    const text = fs.readFileSync(path.join(directory, name), 'utf8');
    return { name, text, checksum: createHash('sha256').update(text).digest('hex') };
  });
}

/**
 * Brings the database up to date, one process at a time. Each file runs in a transaction
 * together with its record: applied whole, or not at all.
 *
 * @returns the names applied now.
 * @throws StartupError when an applied file was changed, the database is newer than this
 * program, or a file fails.
 */
export function migrate(
  db: Pick<DatabaseHandle, 'session'>,
  migrations: readonly Migration[] = readMigrations(),
): Promise<string[]> {
  return db.session(async (session) => {
    await session.query(`select pg_advisory_lock(${LOCK})`);
    try {
      return await applyPending(session, migrations);
    } finally {
      await session.query(`select pg_advisory_unlock(${LOCK})`).catch(() => {});
    }
  });
}

async function applyPending(session: RawSession, migrations: readonly Migration[]) {
  await session.query(`create table if not exists schema_migrations (
    name text primary key, checksum text not null, applied_at timestamptz not null default now())`);
  const recorded = await session.query<{ name: string; checksum: string }>(
    'select name, checksum from schema_migrations order by name',
  );
  const known = new Map(migrations.map((migration) => [migration.name, migration]));
  for (const { name, checksum } of recorded) {
    const migration = known.get(name);
    if (!migration)
      throw new StartupError(`the database is newer than this program: it has migration ${name}.`, {
        next: 'Start the newer version, or restore a backup made before it.',
      });
    if (migration.checksum !== checksum)
      throw new StartupError(`migration ${name} was changed after it was applied.`, {
        next: 'Restore the file as it was; changes belong in a new migration.',
      });
  }
  const applied = new Set(recorded.map(({ name }) => name));
  const last = recorded.at(-1)?.name ?? '';
  const pending = migrations.filter(({ name }) => !applied.has(name));
  for (const migration of pending) {
    if (migration.name < last)
      throw new StartupError(`migration ${migration.name} comes before ${last}, already applied.`);
    await applyOne(session, migration);
  }
  return pending.map(({ name }) => name);
}

async function applyOne(session: RawSession, { name, text, checksum }: Migration): Promise<void> {
  try {
    await session.transaction(async (tx) => {
      await tx.script(text);
      await tx.query('insert into schema_migrations (name, checksum) values ($1, $2)', [
        name,
        checksum,
      ]);
    });
  } catch (error) {
    throw new StartupError(`migration ${name} failed: ${(error as Error).message}`, {
      cause: error,
      next: 'Nothing of it was applied.',
    });
  }
}
