import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');

export interface Ran {
  /** Exit status; 128+n when signal n killed it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  readonly cwd?: string;
  /** Called with each piece of output as it comes. */
  readonly onOutput?: (text: string) => void;
  /** False: what it prints on stdout is not kept; whoever wants it listens himself. */
  readonly keepsOutput?: false;
  readonly timeoutMs?: number;
}

/** The environment a tool is started with: explicit, so that nothing of ours leaks in. */
export const baseEnv = (home: string): Record<string, string> => ({
  PATH: `${ROOT}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
  HOME: home,
  LANG: 'C.UTF-8',
  TERM: 'dumb',
});

/** Runs a program to its end, without a shell and without a terminal. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const child = spawn(file, args, {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? {},
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return finished(child, options);
}

/** A program that runs, with what it has printed so far. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ran>;
  /** Resolves when the text has been printed; fails when the program ends without. */
  until(text: string): Promise<void>;
}

export function start(file: string, args: readonly string[], options: RunOptions = {}): Running {
  const child = spawn(file, args, {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? {},
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  if (options.input !== undefined) child.stdin.end(options.input);
  let seen = '';
  const waiting = new Set<() => void>();
  const ended = finished(child, {
    ...options,
    onOutput: (text) => {
      seen += text;
      for (const look of waiting) look();
      options.onOutput?.(text);
    },
  });
  const until = (text: string): Promise<void> =>
    new Promise((done, fail) => {
      const look = () => {
        if (!seen.includes(text)) return;
        waiting.delete(look);
        done();
      };
      waiting.add(look);
      look();
      ended.then(() => fail(new Error(`it ended without ${JSON.stringify(text)}:\n${seen}`)), fail);
    });
  return { child, ended, until };
}

export function finished(child: ChildProcess, options: RunOptions = {}): Promise<Ran> {
  const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream]?.on('data', (data: Buffer) => {
      if (stream === 'stdout' && options.keepsOutput === false) return;
      parts[stream].push(data);
      options.onOutput?.(data.toString('utf8'));
    });
  return new Promise((done, fail) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? 120_000);
    child.on('error', (error) => {
      clearTimeout(timer);
      fail(error);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      done({
        code: code ?? 128 + (signal === 'SIGKILL' ? 9 : 15),
        stdout: Buffer.concat(parts.stdout).toString('utf8'),
        stderr: Buffer.concat(parts.stderr).toString('utf8'),
      });
    });
  });
}
