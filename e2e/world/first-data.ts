import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { baseEnv, ROOT, run } from './run.ts';

const PLATFORM = join(ROOT, 'packages/server/src/platform');
const CACHE = join(ROOT, 'node_modules/.cache/postern-e2e');

/**
 * Puts an embedded database where the service would create it, migrated and empty: made once
 * for all worlds, for it takes seconds of processor time.
 */
export async function giveDatabase(dataDirectory: string): Promise<void> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  cpSync(join(await emptyDatabase(), 'db'), join(dataDirectory, 'db'), { recursive: true });
}

/** Kept between runs, until something that makes it changes. */
async function emptyDatabase(): Promise<string> {
  const key = hashOf([join(ROOT, 'pnpm-lock.yaml'), ...filesBelow(PLATFORM)]).slice(0, 16);
  const kept = join(CACHE, key);
  if (existsSync(kept)) return kept;
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(`${kept}-`);
  const made = await run(join(ROOT, 'bin/posternd'), ['migrate'], {
    env: { ...baseEnv(fresh), POSTERN_TEAM: 'demo', POSTERN_DATA_DIR: fresh },
  });
  if (made.code !== 0) throw new Error(`no empty database: ${made.stderr}`);
  try {
    renameSync(fresh, kept);
  } catch (error) {
    // Another world may have been quicker.
    if (!existsSync(kept)) throw error;
    rmSync(fresh, { recursive: true });
  }
  for (const name of readdirSync(CACHE))
    if (!name.startsWith(key)) rmSync(join(CACHE, name), { recursive: true, force: true });
  return kept;
}

const filesBelow = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
}
