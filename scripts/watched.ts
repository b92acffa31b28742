import { spawn } from 'node:child_process';

export interface Watch {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** After this long without a line, say that it still runs. */
  readonly quietMs: number;
  /** After this long without a line, end it: a run that hangs must not hang whoever waits for it. */
  readonly hangMs: number;
  /** Takes whole lines, so that programs that run side by side can share a terminal. */
  print(text: string): void;
}

export interface Ended {
  readonly code: number;
  readonly hung: boolean;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const KILL_AFTER_MS = 10_000;

/** Runs a program in a process group of its own, passes its output on and watches over it. */
export function watched(command: string, args: readonly string[], watch: Watch): Promise<Ended> {
  const started = Date.now();
  const seconds = (): number => Math.round((Date.now() - started) / 1000);
  const child = spawn(command, args, {
    cwd: watch.cwd,
    env: watch.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let hung = false;

  const end = (signal: NodeJS.Signals): void => {
    killGroup(child.pid, signal);
    setTimeout(() => killGroup(child.pid, 'SIGKILL'), KILL_AFTER_MS).unref();
  };
  // Being in a group of its own, it does not hear what the terminal sends to ours.
  for (const signal of SIGNALS) process.on(signal, end);

  const still = setInterval(
    () => watch.print(` … still running after ${seconds()} s\n`),
    watch.quietMs,
  );
  const giveUp = setTimeout(() => {
    hung = true;
    watch.print(` … no sign of life for ${watch.hangMs / 1000} s: ended after ${seconds()} s\n`);
    end('SIGTERM');
  }, watch.hangMs);
  const rests = [child.stdout, child.stderr].map((stream) => {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      still.refresh();
      if (!hung) giveUp.refresh();
      const end = text.lastIndexOf('\n') + 1;
      if (end > 0) watch.print(rest + text.slice(0, end));
      rest = end > 0 ? text.slice(end) : rest + text;
    });
    return () => rest;
  });

  return new Promise((resolve) => {
    const done = (code: number): void => {
      clearInterval(still);
      clearTimeout(giveUp);
      for (const signal of SIGNALS) process.off(signal, end);
      // What the program started and left behind ends with it.
      killGroup(child.pid, 'SIGKILL');
      for (const rest of rests) if (rest() !== '') watch.print(`${rest()}\n`);
      resolve({ code, hung });
    };
    child.on('error', (error) => {
      watch.print(`${error}\n`);
      done(127);
    });
    child.on('exit', (code) => setTimeout(() => done(hung ? 70 : (code ?? 70)), 50));
  });
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group has ended.
  }
}
