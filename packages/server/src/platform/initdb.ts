import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { syncTree } from './durable-fs.ts';

const UNFINISHED = 'db.initializing';

/**
 * Creates `db` in the directory, whole or not at all: initdb works in a folder that is
 * renamed when it is on the disk. It runs in a process of its own, because the 240 MB that
 * it takes are not given back before a process ends. The folder's name is new every time:
 * the initdb of a service that was killed may still be writing.
 */
export async function ensureDatabase(directory: string): Promise<string> {
  const ready = path.join(directory, 'db');
  if (fs.existsSync(ready)) return ready;
  for (const name of fs.readdirSync(directory))
    if (name.startsWith(UNFINISHED))
      fs.rmSync(path.join(directory, name), { recursive: true, force: true, maxRetries: 5 });
  const fresh = fs.mkdtempSync(path.join(directory, `${UNFINISHED}-`));
  await initdb(fresh);
  fs.chmodSync(fresh, 0o700);
  syncTree(fresh);
  fs.renameSync(fresh, ready);
  syncTree(ready);
  return ready;
}

async function initdb(directory: string): Promise<void> {
  // Beside the source, or beside the bundle.
  const main = path.join(import.meta.dirname, `initdb-main${path.extname(import.meta.filename)}`);
  const child = spawn(process.execPath, [main, directory], {
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  if (code === 0) return;
  const reason = /^\w*Error: (.*)$/m.exec(errors)?.[1] ?? errors.trim();
  throw new Error(`it could not be created (${signal ?? `exit ${code}`}): ${reason}`);
}
