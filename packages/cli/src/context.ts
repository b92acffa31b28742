import type { Instant } from '@postern/shared';
import type { HttpPort } from './api/port.ts';
import type { KeychainPort } from './keychain.ts';
import type { PromptPort } from './prompt/port.ts';
import type { SshPort } from './ssh/port.ts';
import type { Console } from './streams.ts';

export interface ClockPort {
  now(): Instant;
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** @throws an error with Node's `code` (`ENOENT`, `EACCES`, …) from each. */
export interface FilesPort {
  read(path: string): Promise<string>;
  /** Permission bits of a file. */
  mode(path: string): Promise<number>;
  /** Writes a file that only this user can read, in a folder that only he can enter. */
  writePrivate(path: string, text: string): Promise<void>;
  remove(path: string): Promise<void>;
  isDirectory(path: string): Promise<boolean>;
  /** Names in a folder, sorted. */
  list(path: string): Promise<readonly string[]>;
  /**
   * Waits until nobody else on this machine has the file's lock.
   * @returns what gives it up
   */
  lock(path: string, interrupt: AbortSignal): Promise<() => Promise<void>>;
  /** All of standard input. */
  stdin(): Promise<string>;
}

export interface Loopback {
  readonly port: number;
  /** The first URL that was accepted. */
  readonly arrival: Promise<URL>;
  close(): void;
}

export interface BrowserPort {
  /** Asks the desktop to show it; whether it did is not known. */
  open(url: URL): Promise<void>;
  /** Listens on 127.0.0.1, on a port that is free. */
  listen(accepts: (url: URL) => boolean): Promise<Loopback>;
}

/**
 * Everything outside the program. A test starts from a world in which each call throws,
 * and gives what its subject may use.
 */
export interface World extends Console {
  readonly home: string;
  readonly hostname: string;
  readonly platform: NodeJS.Platform;
  readonly clock: ClockPort;
  readonly files: FilesPort;
  readonly http: HttpPort;
  readonly browser: BrowserPort;
  readonly keychain: KeychainPort;
  readonly prompt: PromptPort;
  readonly ssh: SshPort;
}

/** A person can be asked: what he types arrives, and what he is asked is seen. */
export const isInteractive = (world: World): boolean =>
  world.stdin.isTTY === true && world.stderr.isTTY === true;

/** Whether a window of this machine would be seen by whoever sits at the terminal. */
export function hasDisplay({ env, platform }: World): boolean {
  if (env.SSH_CONNECTION !== undefined) return false;
  if (platform === 'darwin' || platform === 'win32') return true;
  return Boolean(env.DISPLAY) || Boolean(env.WAYLAND_DISPLAY);
}
