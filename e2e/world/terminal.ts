import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import type { Person } from './people.ts';
import { ROOT, run } from './run.ts';

/** How long somebody looks at a terminal for a text, on a machine that is busy. */
const PATIENCE_MS = 30_000;

/** A terminal (pty) with a program in it. */
export class Terminal {
  /** Everything it was sent, escape sequences included. */
  shown = '';
  readonly exit: Promise<number>;
  readonly #pty: IPty;
  readonly #watching = new Set<() => void>();
  #over = false;

  constructor(person: Person, file: 'sft' | 'sft-admin', args: readonly string[]) {
    this.#pty = spawn(join(ROOT, 'bin', file), [...args], {
      name: 'xterm-256color',
      cols: 100,
      rows: 30,
      cwd: person.home,
      env: { ...person.env, TERM: 'xterm-256color' },
    });
    this.#pty.onData((text) => {
      this.shown += text;
      for (const look of this.#watching) look();
    });
    this.exit = new Promise((done) =>
      this.#pty.onExit(({ exitCode, signal }) => {
        this.#over = true;
        done(signal ? 128 + signal : exitCode);
        for (const look of this.#watching) look();
      }),
    );
  }

  /** Waits for text after what was seen before. */
  see(what: string | RegExp): Promise<void> {
    const found = (): boolean =>
      typeof what === 'string' ? this.shown.includes(what) : what.test(this.shown);
    return new Promise((done, fail) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#watching.delete(look);
        act();
      };
      const missing = (why: string) => () =>
        fail(new Error(`${why} without ${String(what)}:\n${JSON.stringify(this.shown)}`));
      const look = (): void => {
        if (found()) settle(done);
        else if (this.#over) settle(missing('it ended'));
      };
      const timer = setTimeout(() => settle(missing('time went by')), PATIENCE_MS);
      this.#watching.add(look);
      look();
    });
  }

  type(text: string): void {
    this.#pty.write(text);
  }

  /** Forgets what was shown so far. */
  clear(): void {
    this.shown = '';
  }

  resize(cols: number, rows: number): void {
    this.#pty.resize(cols, rows);
  }

  kill(): void {
    if (!this.#over) this.#pty.kill('SIGKILL');
  }
}

/** A terminal emulator (tmux), for what a person sees in the end. */
export class Screen {
  readonly #socket: string;
  readonly #env: Person['env'];

  private constructor(person: Person) {
    this.#socket = join(person.home, 'tmux');
    this.#env = person.env;
  }

  static async open(person: Person, command: string): Promise<Screen> {
    const screen = new Screen(person);
    const size = ['-x', '120', '-y', '30'];
    const shown = `${command}; echo "(exit $?)"; exec sleep 600`;
    await screen.#tmux(['new-session', '-d', ...size, '/bin/sh', '-c', shown]);
    return screen;
  }

  async #tmux(args: readonly string[]): Promise<string> {
    const own = ['-S', this.#socket, '-f', '/dev/null', '-u'];
    const ran = await run('tmux', [...own, ...args], { env: this.#env });
    if (ran.code !== 0) throw new Error(ran.stderr);
    return ran.stdout;
  }

  /** The lines as they stand there, without the empty ones at the end. */
  async lines(): Promise<string> {
    return (await this.#tmux(['capture-pane', '-p'])).trimEnd();
  }

  async title(): Promise<string> {
    return (await this.#tmux(['display-message', '-p', '#{pane_title}'])).trim();
  }

  async see(text: string): Promise<string> {
    const end = Date.now() + PATIENCE_MS;
    for (;;) {
      const lines = await this.lines();
      if (lines.includes(text)) return lines;
      if (Date.now() > end) throw new Error(`time went by without ${text}:\n${lines}`);
      await new Promise((done) => setTimeout(done, 100));
    }
  }

  async type(...keys: string[]): Promise<void> {
    await this.#tmux(['send-keys', ...keys]);
  }

  async close(): Promise<void> {
    await this.#tmux(['kill-server']).catch(() => undefined);
  }
}
