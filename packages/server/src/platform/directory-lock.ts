import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toRfc3339 } from '@postern/shared';
import { systemClock } from './clock.ts';
import { StartupError } from './errors.ts';

export interface DirectoryLock {
  release(): Promise<void>;
}

const PREFIX = 'postern.lock.';
const ATTEMPTS = 50;
const ANSWER_MS = 1_000;

/**
 * Holds `directory` for this process by a listening unix socket in it. (Node has no
 * flock, and a pid file lies after kill -9.)
 *
 * Each process has a socket of its own, with a name that is used once and that appears
 * only when it already listens: so a name that refuses is dead for good, and may be
 * removed by anybody. Whoever, after showing its own, sees no other live one, holds the
 * directory. Of two, the one that showed itself second sees the first, so there are never
 * two holders; candidates that see each other give way by name.
 *
 * @throws StartupError naming the holder's pid and since when.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const socket = await show(directory);
    const outcome = await elect(socket, directory).catch(async (error) => {
      await socket.withdraw();
      throw error;
    });
    if (outcome === 'held') return { release: () => socket.withdraw() };
    await socket.withdraw();
    await sleep(10 + Math.random() * 40);
  }
  throw new StartupError(`${directory} is contended by several processes; start only one.`);
}

async function elect(mine: OwnSocket, directory: string): Promise<'held' | 'give way'> {
  for (let round = 0; round < ATTEMPTS; round++) {
    let alone = true;
    for (const name of names(mine.inside(''))) {
      if (name === mine.name) continue;
      const other = await ask(mine.inside(name));
      if (other === undefined) {
        fs.rmSync(mine.inside(name), { force: true });
        continue;
      }
      if (other.state !== 'candidate') throw inUse(directory, other);
      if (name < mine.name) return 'give way';
      alone = false;
    }
    if (alone) {
      mine.hold();
      return 'held';
    }
    await sleep(10);
  }
  return 'give way';
}

const inUse = (directory: string, { pid, since }: Other): StartupError =>
  new StartupError(
    `${directory} is in use by process ${pid}, since ${since}. Only one process may open it.`,
    { next: 'Stop that process, or set POSTERN_DATABASE_URL to share a PostgreSQL database.' },
  );

const names = (directory: string): string[] =>
  fs
    .readdirSync(directory)
    .filter((name) => name.startsWith(PREFIX))
    .sort();

interface Other {
  readonly state: string;
  readonly pid: string;
  readonly since: string;
}

const SILENT: Other = { state: 'silent', pid: 'unknown (it does not answer)', since: 'unknown' };

/** @returns undefined when nobody listens there, nor ever will again. */
function ask(socketPath: string): Promise<Other | undefined> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: socketPath });
    let text = '';
    const settle = (other: Other | undefined) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(other);
    };
    const timer = setTimeout(() => settle(SILENT), ANSWER_MS);
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk;
    });
    socket.once('end', () => settle(parse(text)));
    socket.once('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') return settle(undefined);
      if (code === 'EAGAIN' || code === 'ECONNRESET' || code === 'EPIPE') return settle(SILENT);
      clearTimeout(timer);
      reject(new StartupError(`cannot tell who holds the directory of ${socketPath}: ${message}`));
    });
  });
}

function parse(text: string): Other {
  const [state, pid, since, more] = text.split(' ');
  if (!state || !pid || !since || more !== undefined || !/^\d+$/.test(pid)) return SILENT;
  return { state, pid, since };
}

interface OwnSocket {
  readonly name: string;
  /** A path in the directory that fits a socket's name, about 100 bytes. */
  inside(name: string): string;
  hold(): void;
  withdraw(): Promise<void>;
}

async function show(directory: string): Promise<OwnSocket> {
  const handle = fs.openSync(directory, 'r');
  const inside = (name: string): string =>
    process.platform === 'linux' ? `/proc/self/fd/${handle}/${name}` : path.join(directory, name);
  const unique = `${process.pid}.${randomBytes(6).toString('hex')}`;
  const hidden = inside(`.postern.${unique}`);
  const name = `${PREFIX}${unique}`;
  let state = 'candidate';
  const since = toRfc3339(systemClock.now());
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.end(`${state} ${process.pid} ${since}`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(hidden, resolve);
  });
  fs.chmodSync(hidden, 0o600);
  fs.renameSync(hidden, inside(name));
  server.unref();
  return {
    name,
    inside,
    hold: () => {
      state = 'holder';
    },
    withdraw: async () => {
      fs.rmSync(inside(name), { force: true });
      await new Promise((done) => server.close(done));
      fs.closeSync(handle);
    },
  };
}
