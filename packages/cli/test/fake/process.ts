import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type IPty, spawn as spawnPty } from '@lydell/node-pty';
import { afterAll, beforeAll } from 'vitest';
import { bundleClient } from '../../../../scripts/bundle.ts';

const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
// Inside the package, so that what stays outside of the bundle is found as it is when installed.
const BUILT = `${ROOT}/packages/cli/node_modules/.test-${process.pid}`;
/** The program that `bundled` builds. */
export const SFT = `${BUILT}/sft.mjs`;
const ARGS = [SFT];

/** Builds the program once for the tests of a file, as it is built to be shipped. */
export function bundled(): void {
  beforeAll(async () => {
    await bundleClient(ROOT, BUILT);
  });
  afterAll(() => rmSync(BUILT, { recursive: true, force: true }));
}

export interface Output {
  readonly exit: number;
  readonly out: Buffer;
  readonly err: string;
}

export interface Running {
  readonly pid: number;
  readonly done: Promise<Output>;
  err(): string;
  /** Nobody reads its output any more. */
  closeOutput(): void;
  kill(signal: NodeJS.Signals): void;
}

type Env = Readonly<Record<string, string>>;

/** The real program as a process, its streams piped. */
export function startSft(words: readonly string[], env: Env, input?: Buffer): Running {
  const child = spawn(process.execPath, [...ARGS, ...words], { env: envOf(env), stdio: 'pipe' });
  const out: Buffer[] = [];
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
  });
  child.stdin.on('error', () => undefined);
  if (input !== undefined) child.stdin.end(input);
  const done = new Promise<Output>((resolve) =>
    child.on('close', (code) => resolve({ exit: code ?? -1, out: Buffer.concat(out), err })),
  );
  return {
    pid: child.pid ?? 0,
    done,
    err: () => err,
    closeOutput: () => void child.stdout.destroy(),
    kill: (signal) => void child.kill(signal),
  };
}

export const runSft = (
  words: readonly string[],
  env: Env,
  input = Buffer.alloc(0),
): Promise<Output> => startSft(words, env, input).done;

/** The real program in a terminal of its own. */
export class Terminal {
  private text = '';
  private readonly pty: IPty;
  readonly exit: Promise<number>;

  constructor(words: readonly string[], env: Env, program: string = process.execPath) {
    const args = program === process.execPath ? [...ARGS, ...words] : [...words];
    this.pty = spawnPty(program, args, { cols: 100, rows: 30, env: envOf(env) });
    this.pty.onData((data) => {
      this.text += data;
    });
    this.exit = new Promise((resolve) => this.pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  /** The program on a command line of a shell, which then runs `after`. */
  static shell(words: readonly string[], env: Env, after: string): Terminal {
    const line = [process.execPath, ...ARGS, ...words].join(' ');
    return new Terminal(['-c', `${line}; ${after}`], env, '/bin/sh');
  }

  /** Everything it has shown, as it came. */
  get shown(): string {
    return this.text;
  }

  type(keys: string): void {
    this.pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.pty.resize(columns, rows);
  }

  /** @throws when it has not shown this within 20 s. */
  async see(what: string | RegExp): Promise<void> {
    const until = Date.now() + 40_000;
    const seen = () => (typeof what === 'string' ? this.text.includes(what) : what.test(this.text));
    while (!seen()) {
      if (Date.now() > until) throw new Error(`not shown: ${what}\n${JSON.stringify(this.text)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  kill(): void {
    this.pty.kill('SIGKILL');
  }
}

function envOf(env: Env): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: '/nonexistent',
    TERM: 'xterm',
    SFT_KEYCHAIN: 'off',
    ...env,
  };
}
