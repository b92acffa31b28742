import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';

/** One piece of what a target printed. */
export interface Piece {
  readonly bytes: Buffer;
  readonly stderr: boolean;
}

export interface PrinterOptions {
  /** Resolves when the piece is safely recorded; undefined when it need not be. */
  readonly record: (piece: Piece) => Promise<void> | undefined;
  /** Sends one piece to the client; `done` when it has left, never when the channel is gone. */
  readonly show: (piece: Piece, done: () => void) => void;
  /** The client's socket: ssh2 writes to it without looking at its backlog. */
  readonly socket: Socket;
  readonly socketBacklog: number;
  /** Both streams have ended and everything has been shown. */
  readonly onDrained: () => void;
  /** Recording failed. Nothing more is shown. */
  readonly onFailed: (error: unknown) => void;
}

const PAUSE_AT = 1024 * 1024;
const RESUME_AT = 256 * 1024;

/**
 * What a target prints, on its way to the client: recorded, then shown, in the order it
 * came, one piece at a time. stdout and stderr share this one queue, and the sources are
 * paused while it is long, so that a client that reads slowly costs no memory.
 */
export class Printer {
  readonly #options: PrinterOptions;
  readonly #sources: readonly Readable[];
  #queue: Piece[] = [];
  #queued = 0;
  #open: number;
  #running = false;
  #stopped = false;
  #paused = false;
  #gathering = false;
  #bytes = 0;
  #idle: Array<() => void> = [];

  constructor(stdout: Readable, stderr: Readable | undefined, options: PrinterOptions) {
    this.#options = options;
    this.#sources = stderr === undefined ? [stdout] : [stdout, stderr];
    this.#open = this.#sources.length;
    for (const [i, source] of this.#sources.entries()) {
      source.on('data', (bytes: Buffer) => this.#take({ bytes, stderr: i === 1 }));
      source.once('end', () => {
        this.#open -= 1;
        this.#pump();
      });
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Says something in the target's place, after what it has printed so far. */
  say(text: string): void {
    if (this.#stopped) return;
    this.#enqueue({ bytes: Buffer.from(text, 'utf8'), stderr: true });
  }

  /** Takes nothing more from the target; resolves when what is there has been shown. */
  async finish(): Promise<void> {
    for (const source of this.#sources) {
      source.removeAllListeners('data');
      source.pause();
    }
    if (this.#stopped || (!this.#running && this.#queue.length === 0)) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Shows nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#queue = [];
    this.#queued = 0;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #take(piece: Piece): void {
    if (this.#stopped) return;
    this.#bytes += piece.bytes.length;
    this.#enqueue(piece);
  }

  #enqueue(piece: Piece): void {
    this.#queue.push(piece);
    this.#queued += piece.bytes.length;
    if (this.#queued >= PAUSE_AT && !this.#paused) {
      this.#paused = true;
      for (const source of this.#sources) source.pause();
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    this.#run().then(
      () => {
        this.#running = false;
        if (this.#stopped) return;
        if (this.#queue.length > 0) return this.#pump();
        for (const resolve of this.#idle.splice(0)) resolve();
        if (this.#open === 0) this.#options.onDrained();
      },
      (error: unknown) => {
        this.stop();
        this.#options.onFailed(error);
      },
    );
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue;
      this.#queue = [];
      const recordings = batch.map((piece) => this.#options.record(piece));
      if (recordings.some((r) => r !== undefined)) await Promise.all(recordings);
      this.#gather();
      for (const piece of batch) {
        if (this.#stopped) return;
        await new Promise<void>((resolve) => this.#options.show(piece, resolve));
        this.#queued -= piece.bytes.length;
        await drained(this.#options.socket, this.#options.socketBacklog);
        this.#maybeResume();
      }
    }
  }

  /** What is written in one turn of the event loop leaves in one system call. */
  #gather(): void {
    const { socket } = this.#options;
    if (this.#gathering) return;
    this.#gathering = true;
    socket.cork();
    setImmediate(() => {
      this.#gathering = false;
      socket.uncork();
    });
  }

  #maybeResume(): void {
    if (!this.#paused || this.#stopped || this.#queued > RESUME_AT) return;
    this.#paused = false;
    for (const source of this.#sources) source.resume();
  }
}

/** Resolves at once, or when the socket has sent its backlog; never when it is destroyed. */
async function drained(socket: Socket, backlog: number): Promise<void> {
  if (socket.writableLength <= backlog) return;
  await new Promise<void>((resolve) => socket.once('drain', resolve));
}

const NOTHING = Buffer.alloc(0);

/**
 * One direction without recording: pauses `from` while `to`, or the socket behind it, is
 * behind; calls `onEnd` once `from` has ended and everything has left `to`.
 */
export function feed(
  from: Readable,
  to: Writable,
  options: { readonly socket: Socket; readonly socketBacklog: number; readonly onEnd: () => void },
): { readonly bytes: number } {
  const count = { bytes: 0 };
  from.on('data', (bytes: Buffer) => {
    count.bytes += bytes.length;
    const ready = to.write(bytes);
    if (ready && options.socket.writableLength <= options.socketBacklog) return;
    from.pause();
    (ready ? options.socket : to).once('drain', () => from.resume());
  });
  from.once('end', () => {
    if (to.writable) to.write(NOTHING, () => options.onEnd());
  });
  return count;
}

/**
 * ssh2 takes what a peer sends beyond the window it was given and keeps it in memory. This
 * looks at what lies unread, each time a socket has brought something.
 */
export class Overrun {
  readonly #limit: number;
  readonly #onOverrun: () => void;
  readonly #streams = new Set<Readable>();

  constructor(limit: number, onOverrun: () => void) {
    this.#limit = limit;
    this.#onOverrun = onOverrun;
  }

  listen(socket: Socket): void {
    socket.on('data', () => {
      for (const stream of this.#streams)
        if (stream.readableLength > this.#limit) this.#onOverrun();
    });
  }

  watch(stream: Readable): void {
    this.#streams.add(stream);
    stream.once('close', () => this.#streams.delete(stream));
  }
}
