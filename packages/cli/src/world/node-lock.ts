const fs = process.getBuiltinModule('node:fs');

const AGAIN_MS = 25;
/** Nobody holds it longer: who does has been stopped, and is taken for dead. */
const OLD_MS = 60_000;
/** After taking a dead one's lock: time for whoever did the same to be seen. */
const SETTLE_MS = 100;

/**
 * A file that one process at a time has made. What a dead one left is taken away by renaming,
 * which only one can do to one file; who finds that he took away a living one's gives it back.
 *
 * @returns what gives it up
 */
export async function lockFile(path: string, interrupt: AbortSignal): Promise<() => Promise<void>> {
  const own = `${process.pid} ${crypto.randomUUID()}`;
  fs.mkdirSync(path.slice(0, path.lastIndexOf('/')) || '.', { recursive: true, mode: 0o700 });
  for (;;) {
    if (interrupt.aborted) throw interrupt.reason;
    if (make(path, own)) break;
    const held = read(path);
    if (held !== undefined && isDead(path, held)) {
      takeAway(path, held, own);
      if (make(path, own)) {
        await wait(SETTLE_MS);
        if (read(path) === own) break;
      }
      continue;
    }
    await wait(AGAIN_MS);
  }
  return async () => {
    if (read(path) === own) fs.rmSync(path, { force: true });
  };
}

function make(path: string, own: string): boolean {
  try {
    fs.writeFileSync(path, own, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false;
    throw error;
  }
}

function read(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

function isDead(path: string, held: string): boolean {
  try {
    if (Date.now() - fs.statSync(path).mtimeMs > OLD_MS) return true;
  } catch {
    return false;
  }
  const pid = Number(held.split(' ')[0]);
  // Made, and not yet written.
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as { code?: unknown }).code === 'ESRCH';
  }
}

function takeAway(path: string, held: string, own: string): void {
  const aside = `${path}.${own.split(' ')[1]}`;
  try {
    fs.renameSync(path, aside);
    if (read(aside) !== held) fs.linkSync(aside, path);
  } catch {
    // Somebody else was quicker, with either.
  }
  fs.rmSync(aside, { force: true });
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
