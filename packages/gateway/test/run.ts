import type { Client, ClientChannel, ExecOptions } from 'ssh2';
import { keepUntilClosed } from '../src/ssh-seams.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** undefined: the channel was closed without a status. */
  readonly status: number | null | undefined;
  readonly signal: string | undefined;
}

/** Runs a command to its end; `feed` gets the channel. */
export function run(
  client: Client,
  command: string,
  options: ExecOptions = {},
  feed: (channel: ClientChannel) => void = (channel) => channel.end(),
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    client.exec(command, options, (error, channel) => {
      if (error) return reject(error);
      keepUntilClosed(channel);
      collect(channel).then(resolve, reject);
      feed(channel);
    });
  });
}

export function collect(channel: ClientChannel): Promise<Outcome> {
  return new Promise((resolve) => {
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    let status: number | null | undefined;
    let signal: string | undefined;
    channel.on('data', (bytes: Buffer) => out.push(bytes));
    channel.stderr.on('data', (bytes: Buffer) => err.push(bytes));
    channel.on('exit', (code: number | null, name?: string) => {
      status = code;
      signal = name;
    });
    channel.on('error', () => {});
    channel.once('close', () => {
      resolve({
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
        status,
        signal,
      });
    });
  });
}

/** Opens a shell on a terminal. */
export function shell(client: Client): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    client.shell({ cols: 100, rows: 30, term: 'xterm-256color' }, (error, channel) =>
      error ? reject(error) : resolve(channel),
    );
  });
}

export async function until(what: string, holds: () => boolean, ms = 20_000): Promise<void> {
  const start = performance.now();
  while (!holds()) {
    if (performance.now() - start > ms) throw new Error(`never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
