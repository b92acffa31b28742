import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { toRfc3339 } from '@postern/shared';
import { systemClock } from './clock.ts';
import { StartupError } from './errors.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

const NAME = 'postern.lock';
const ATTEMPTS = 20;
const ANSWER_MS = 1_000;

/**
 * Holds `directory` for this process: a unix socket named postern.lock in it that
 * answers who holds it. A socket that can be connected to is held; one that refuses was
 * left by a process that died, and is taken over. (Node has no flock, and a pid file lies
 * after kill -9.)
 *
 * @throws StartupError naming the holder's pid and since when.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const handle = fs.openSync(directory, 'r');
  // A socket's path holds about 100 bytes; through the descriptor any directory fits.
  const inside = (name: string): string =>
    process.platform === 'linux' ? `/proc/self/fd/${handle}/${name}` : path.join(directory, name);
  const mine = `${NAME}.${process.pid}.${randomBytes(4).toString('hex')}`;
  const server = await answering(inside(mine));
  const unlinkOwn = () => fs.rmSync(inside(mine), { force: true });
  try {
    await claim(inside, mine, directory);
  } catch (error) {
    server.close();
    unlinkOwn();
    fs.closeSync(handle);
    throw error;
  }
  return {
    release: async () => {
      fs.rmSync(inside(NAME), { force: true });
      unlinkOwn();
      await new Promise((done) => server.close(done));
      fs.closeSync(handle);
    },
  };
}

/** link(2) is the atomic step: it fails when the name exists. */
async function claim(inside: (name: string) => string, mine: string, directory: string) {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    if (linked(inside(mine), inside(NAME))) return;
    const holder = await ask(inside(NAME));
    if (holder) throw held(directory, holder);
    const stale = inside(`${NAME}.stale.${randomBytes(4).toString('hex')}`);
    if (!renamed(inside(NAME), stale)) continue;
    // Between asking and renaming somebody may have put a live one there: put it back.
    const moved = await ask(stale);
    if (moved) linked(stale, inside(NAME));
    fs.rmSync(stale, { force: true });
    if (moved) throw held(directory, moved);
  }
  throw new StartupError(`${directory} is contended by several processes; start only one.`);
}

const held = (directory: string, { pid, since }: Holder): StartupError =>
  new StartupError(
    `${directory} is in use by process ${pid}, since ${since}. Only one process may open it.`,
    { next: 'Stop that process, or set POSTERN_DATABASE_URL to share a PostgreSQL database.' },
  );

interface Holder {
  readonly pid: string;
  readonly since: string;
}

const UNKNOWN: Holder = { pid: 'unknown (it does not answer)', since: 'unknown' };

/** @returns undefined when nobody listens there. */
function ask(socketPath: string): Promise<Holder | undefined> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: socketPath });
    let text = '';
    const settle = (holder: Holder) => {
      socket.destroy();
      resolve(holder);
    };
    const timer = setTimeout(() => settle(UNKNOWN), ANSWER_MS);
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.once('end', () => {
      clearTimeout(timer);
      settle(parseHolder(text));
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(undefined);
      else reject(new StartupError(`cannot tell who holds ${socketPath}: ${error.message}`));
    });
  });
}

function parseHolder(text: string): Holder {
  const match = /^(\d{1,10}) (\S{1,40})$/.exec(text);
  return match?.[1] && match[2] ? { pid: match[1], since: match[2] } : UNKNOWN;
}

async function answering(socketPath: string): Promise<net.Server> {
  const since = toRfc3339(systemClock.now());
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${process.pid} ${since}`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath, resolve);
  });
  fs.chmodSync(socketPath, 0o600);
  server.unref();
  return server;
}

function linked(from: string, to: string): boolean {
  return attempt(() => fs.linkSync(from, to), 'EEXIST');
}

function renamed(from: string, to: string): boolean {
  return attempt(() => fs.renameSync(from, to), 'ENOENT');
}

function attempt(act: () => void, unless: string): boolean {
  try {
    act();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === unless) return false;
    throw error;
  }
}
