import { constants } from 'node:os';
import type { Client, ClientChannel, PseudoTtyOptions } from 'ssh2';
import type { Console } from '../streams.ts';
import { EscapeKeys } from './escape-keys.ts';
import type { SshEnd, SshJob } from './port.ts';
import { rawMode } from './raw-mode.ts';

/** How long a remote command has to end after a signal, before the channel is closed. */
const SIGNAL_GRACE_MS = 2000;
/** How long the other side has to answer that a channel is closed. */
const CLOSE_GRACE_MS = 1000;

/** Runs the shell or command of a job, until it has ended and all its output is written. */
export function runChannel(
  client: Client,
  lost: Promise<string | undefined>,
  job: SshJob,
  world: Console,
): Promise<SshEnd> {
  const pty = wantsPty(job, world) ? windowOf(world) : undefined;
  const env = localeOf(world.env);
  return new Promise((resolve) => {
    let opened = false;
    lost.then((why) => {
      if (!opened) resolve({ kind: 'lost', why });
    });
    const onOpen = (error: Error | undefined, channel: ClientChannel) => {
      opened = true;
      if (error) return resolve({ kind: 'lost', why: isGone(error) ? undefined : refusal(error) });
      // No await between here and the handlers: a quick command's status would be missed.
      attach(channel, pty !== undefined, world, async (ended) =>
        resolve(
          ended.exit === undefined
            ? { kind: 'lost', why: await reason(lost), is_told: ended.is_told }
            : { kind: 'exited', exit: ended.exit },
        ),
      );
    };
    if (job.command === undefined) client.shell(pty ?? false, { env }, onOpen);
    else client.exec(job.command, pty === undefined ? { env } : { env, pty }, onOpen);
  });
}

/** A channel may close a moment before the connection that says why. */
const reason = (lost: Promise<string | undefined>): Promise<string | undefined> =>
  Promise.race([
    lost,
    new Promise<undefined>((resolve) => setTimeout(resolve, 500, undefined).unref()),
  ]);

/** ssh2's words for a channel that was asked for on a connection that has closed since. */
const isGone = (error: Error): boolean => error.message === 'No response from server';

const refusal = (error: Error): string =>
  `The gateway refused it: ${error.message.replace(/^\(SSH\) /, '')}.`;

interface Ended {
  /** Undefined: the channel was closed without one. */
  readonly exit: number | undefined;
  readonly is_told: boolean;
}

/** The last line of the gateway on a channel that it cuts, after what the target printed. */
const CUT = /(^|\n)sft: session ended: /;

function attach(
  channel: ClientChannel,
  isPty: boolean,
  world: Console,
  done: (ended: Ended) => void,
): void {
  const { stdin, stdout, stderr } = world;
  const isTerminal = isPty && stdin.isTTY === true;
  let exit: number | undefined;
  let told = false;
  let isOver = false;
  const restore = isTerminal ? rawMode(stdin) : () => undefined;
  const keys = isTerminal ? new EscapeKeys(() => close(undefined)) : undefined;

  const finish = () => {
    if (isOver) return;
    isOver = true;
    release();
    stdin.unpipe();
    stdin.pause();
    stdout.removeListener('error', onBroken);
    if (isPty) stdout.removeListener('resize', onResize);
    restore();
    if (isTerminal && exit === undefined) stderr.write('\n');
    done({ exit, is_told: told });
  };
  const close = (status: number | undefined) => {
    exit ??= status;
    channel.close();
    // The other side may be gone without a word; whoever ends it here does not wait for it.
    setTimeout(finish, CLOSE_GRACE_MS).unref();
  };
  const onSignal = (name: NodeJS.Signals) => {
    const status = 128 + constants.signals[name];
    // Without its standard input ssh2 sends no signal any more.
    if (!channel.writable || isPty) return close(status);
    channel.signal(name.replace(/^SIG/, ''));
    setTimeout(() => close(status), SIGNAL_GRACE_MS).unref();
  };
  const onResize = () => channel.setWindow(stdout.rows ?? 24, stdout.columns ?? 80, 0, 0);
  // Whoever read our output has gone: as with a local command, SIGPIPE.
  const onBroken = () => {
    channel.unpipe(stdout);
    // What still comes has to be read, else the channel never closes.
    channel.resume();
    close(128 + constants.signals.SIGPIPE);
  };

  channel.on('exit', (code: number | null, signal?: string) => {
    exit ??= code ?? statusOf(signal);
  });
  channel.on('close', finish);
  channel.pipe(stdout, { end: false });
  channel.stderr.on('data', (chunk: Buffer) => {
    told = CUT.test(chunk.toString('latin1'));
  });
  channel.stderr.pipe(stderr, { end: false });
  if (keys === undefined) stdin.pipe(channel);
  else stdin.pipe(keys).pipe(channel);
  stdin.on('error', () => channel.end());
  stdout.on('error', onBroken);
  if (isPty) stdout.on('resize', onResize);
  const release = world.takeSignals(onSignal);
}

/** `SIGKILL` or `KILL`, as RFC 4254 §6.10 spells it; an unknown one counts as a failure. */
function statusOf(signal: string | undefined): number {
  const name = `SIG${(signal ?? '').replace(/^SIG/, '')}` as NodeJS.Signals;
  return 128 + (constants.signals[name] ?? 0);
}

/**
 * A shell gets a terminal when it is typed at one; a command when both its ends are one, so
 * that what is redirected arrives byte by byte as it was written.
 */
function wantsPty({ tty, command }: SshJob, { stdin, stdout }: Console): boolean {
  if (tty !== 'auto') return tty === 'always';
  return stdin.isTTY === true && (command === undefined || stdout.isTTY === true);
}

function windowOf({ env, stdout }: Console): PseudoTtyOptions {
  return {
    term: env.TERM || 'vt100',
    cols: stdout.columns ?? 80,
    rows: stdout.rows ?? 24,
    width: 0,
    height: 0,
  };
}

function localeOf(env: Console['env']): Record<string, string> {
  const ours = Object.entries(env).filter(([key]) => key === 'LANG' || /^LC_[A-Z]+$/.test(key));
  return Object.fromEntries(ours.flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])));
}
