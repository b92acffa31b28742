import { createHash } from 'node:crypto';
import {
  chmodSync,
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
import { ROOT, run } from './run.ts';

const PLATFORM = join(ROOT, 'packages/server/src/platform');
const SOURCES = ['initdb-main.ts', 'pglite-durable.ts', 'durable-fs.ts'];
const CACHE = join(ROOT, 'node_modules/.cache/postern-e2e');

/**
 * Puts an empty embedded database where the service would create it: the service's own
 * initdb, run once for all worlds, for it takes seconds of processor time.
 */
export async function giveDatabase(dataDirectory: string): Promise<void> {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 });
  cpSync(await emptyDatabase(), join(dataDirectory, 'db'), { recursive: true });
}

/** Kept between runs, until something that makes it changes. */
async function emptyDatabase(): Promise<string> {
  const hash = createHash('sha256').update(readFileSync(join(ROOT, 'pnpm-lock.yaml')));
  for (const name of SOURCES) hash.update(readFileSync(join(PLATFORM, name)));
  const key = hash.digest('hex').slice(0, 16);
  const kept = join(CACHE, key);
  if (existsSync(kept)) return kept;
  mkdirSync(CACHE, { recursive: true });
  const fresh = mkdtempSync(`${kept}-`);
  const made = await run(process.execPath, [join(PLATFORM, 'initdb-main.ts'), fresh]);
  if (made.code !== 0) throw new Error(`no empty database: ${made.stderr}`);
  chmodSync(fresh, 0o700);
  // Another run may have been quicker.
  if (existsSync(kept)) rmSync(fresh, { recursive: true });
  else renameSync(fresh, kept);
  for (const name of readdirSync(CACHE))
    if (!name.startsWith(key)) rmSync(join(CACHE, name), { recursive: true, force: true });
  return kept;
}
