import { PassThrough, Writable } from 'node:stream';
import { type Instant, instant } from '@postern/shared';
import { nodeHttp } from '../../src/api/http.ts';
import type { FilesPort, World } from '../../src/context.ts';
import { KeychainFault } from '../../src/keychain.ts';
import type { Question } from '../../src/prompt/port.ts';
import type { InputStream, OutputStream } from '../../src/streams.ts';
import { NOW } from './things.ts';

/** What is in the world of one test; all else throws when it is touched. */
export interface FakeWorldOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Files by path; what is written lands here too. */
  readonly files?: Map<string, FakeFile>;
  /** With a terminal: what the person answers, in order. */
  readonly answers?: readonly (string | boolean)[];
  readonly isTerminal?: boolean;
  readonly ssh?: Partial<World['ssh']>;
  readonly http?: Partial<World['http']>;
  readonly clock?: Partial<World['clock']>;
  readonly browser?: Partial<World['browser']>;
  /** Left out, the machine has none. */
  readonly keychain?: World['keychain'];
  /** Told before the command runs. */
  readonly onWorld?: (world: FakeWorld) => void;
}

export interface FakeFile {
  readonly text: string;
  readonly mode: number;
}

export interface FakeWorld extends World {
  readonly out: () => string;
  readonly err: () => string;
  /** What the person was asked. */
  readonly asked: string[];
  interruptNow(): void;
}

export function fakeWorld(options: FakeWorldOptions = {}): FakeWorld {
  const { env = {}, files = new Map(), answers = [], isTerminal = answers.length > 0 } = options;
  const [stdout, out] = sink(isTerminal);
  const [stderr, err] = sink(isTerminal);
  const stdin = Object.assign(new PassThrough(), { isTTY: isTerminal }) as InputStream;
  const controller = new AbortController();
  const asked: string[] = [];
  const left = [...answers];
  const next = (question: string) => {
    asked.push(question);
    const answer = left.shift();
    if (answer === undefined) throw new Error(`not expected: ${question}`);
    return answer;
  };
  const world = {
    env,
    home: '/home/ana',
    hostname: 'anas-laptop',
    platform: 'linux' as const,
    stdin,
    stdout,
    stderr,
    clock: { now: (): Instant => instant(NOW), sleep: unmocked('clock.sleep'), ...options.clock },
    files: fakeFiles(files),
    http: { ...nodeHttp, ...options.http },
    browser: {
      open: unmocked('browser.open'),
      listen: unmocked('browser.listen'),
      ...options.browser,
    },
    keychain: options.keychain ?? NO_KEYCHAIN,
    prompt: {
      text: async ({ message, check }: Question) => {
        const answer = String(next(message));
        const why = check(answer);
        if (why !== undefined) throw new Error(`refused: ${why}`);
        return answer;
      },
      confirm: async (message: string) => next(message) === true,
    },
    ssh: {
      prepare: () => undefined,
      run: unmocked('ssh.run'),
      scan: unmocked('ssh.scan'),
      ...options.ssh,
    },
    interrupt: controller.signal,
    takeSignals: unmocked('takeSignals'),
  };
  return {
    ...world,
    out,
    err,
    asked,
    interruptNow: () => controller.abort(),
  };
}

const none = async () => {
  throw new KeychainFault('none');
};
const NO_KEYCHAIN: World['keychain'] = { get: none, set: none, remove: none };

function unmocked(what: string): () => never {
  return () => {
    throw new Error(`${what} is not mocked`);
  };
}

function sink(isTerminal: boolean): [OutputStream, () => string] {
  let text = '';
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString('utf8');
      done();
    },
  });
  return [Object.assign(stream, { isTTY: isTerminal, columns: 100, rows: 30 }), () => text];
}

function fakeFiles(files: Map<string, FakeFile>): FilesPort {
  const get = (path: string): FakeFile => {
    const file = files.get(path);
    if (file === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' });
    return file;
  };
  const names = (path: string) =>
    [...files.keys()].filter((f) => f.startsWith(`${path}/`)).map((f) => f.slice(path.length + 1));
  return {
    read: async (path) => get(path).text,
    mode: async (path) => get(path).mode,
    writePrivate: async (path, text) => void files.set(path, { text, mode: 0o600 }),
    remove: async (path) => {
      get(path);
      files.delete(path);
    },
    isDirectory: async (path) => names(path).length > 0 || get(path) === undefined,
    list: async (path) => names(path).sort(),
    lock: async () => async () => undefined,
    stdin: async () => get('-').text,
  };
}
