import { createHash, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';

/** A file that only grows; a test hands in one that fails. */
export interface Sink {
  append(bytes: Buffer): Promise<void>;
  close(): Promise<void>;
}

export type OpenSink = (path: string) => Promise<Sink>;

/** New, readable by its owner alone; an existing file is never continued. */
export const openFile: OpenSink = async (path) => {
  const file = await open(path, 'ax', 0o600);
  return {
    append: (bytes) => file.appendFile(bytes),
    close: async () => {
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    },
  };
};

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes in order, what arrives during a write goes out with the next one. After a failure
 * every later write fails with the same error: a recording has no holes.
 */
export class Appender {
  readonly #sink: Sink;
  readonly #hash: Hash = createHash('sha256');
  #pending: Buffer[] = [];
  #waiters: Waiter[] = [];
  #running: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Resolves when the operating system has the bytes. */
  append(text: string): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    if (this.#closed) return Promise.reject(new Error('the recording is closed'));
    this.#pending.push(Buffer.from(text, 'utf8'));
    const written = new Promise<void>((resolve, reject) => this.#waiters.push({ resolve, reject }));
    this.#running ??= this.#run();
    return written;
  }

  /** @returns the SHA-256 of the whole file, in hex. */
  async close(): Promise<string> {
    this.#closed = true;
    await this.#running;
    await this.#sink.close();
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#hash.digest('hex');
  }

  async #run(): Promise<void> {
    while (this.#pending.length > 0) {
      const waiters = this.#waiters;
      const bytes = Buffer.concat(this.#pending);
      this.#pending = [];
      this.#waiters = [];
      try {
        await this.#sink.append(bytes);
        this.#hash.update(bytes);
        for (const waiter of waiters) waiter.resolve();
      } catch (error) {
        this.#failure = { error };
        for (const waiter of [...waiters, ...this.#waiters]) waiter.reject(error);
        this.#pending = [];
        this.#waiters = [];
      }
    }
    this.#running = undefined;
  }
}
