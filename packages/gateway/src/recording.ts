import { join } from 'node:path';
import { Appender, type OpenSink } from './appender.ts';
import { CastLines, CastText, castHeader, type RecordingFacts, type Terminal } from './cast.ts';

/** What happened on a session's channels, one JSON line each, with `at` in RFC 3339. */
export type ChannelEvent =
  | {
      readonly type: 'shell' | 'exec' | 'subsystem';
      readonly channel: number;
      readonly command?: string;
      readonly terminal: boolean;
    }
  | {
      readonly type: 'closed';
      readonly channel: number;
      readonly exit_status: number | null;
      readonly exit_signal: string | null;
      readonly bytes_in: number;
      readonly bytes_out: number;
    }
  | {
      readonly type: 'local_forward' | 'remote_forward';
      readonly channel: number;
      readonly destination: string;
      readonly origin: string;
    }
  | {
      readonly type: 'forward_closed';
      readonly channel: number;
      readonly bytes_in: number;
      readonly bytes_out: number;
    }
  | { readonly type: 'remote_forward_opened' | 'remote_forward_canceled'; readonly bind: string }
  | { readonly type: 'refused'; readonly what: string }
  | { readonly type: 'told'; readonly text: string }
  | { readonly type: 'login' }
  | { readonly type: 'ended'; readonly reason: string };

export interface RecordingWorld {
  readonly directory: string;
  readonly openSink: OpenSink;
  readonly monotonic: () => number;
  readonly now: () => number;
  readonly commandBytes: number;
}

/** One channel's part of the recording. */
export interface Track {
  /** Resolves when it is written. undefined: this need not be recorded, show it. */
  output(bytes: Buffer, stderr: boolean): Promise<void> | undefined;
  resize(cols: number, rows: number): void;
  exit(status: number): void;
}

export interface Recording {
  event(event: ChannelEvent): Promise<void>;
  /** @param limited a command without a terminal: its output is kept up to a size. */
  track(channel: number, terminal: Terminal, limited: boolean): Track;
  /** @returns the SHA-256 of the recording in hex; null when this session is not recorded. */
  finish(): Promise<string | null>;
}

export const castPath = (directory: string, sessionId: string) =>
  join(directory, `${sessionId}.cast`);
export const eventsPath = (directory: string, sessionId: string) =>
  join(directory, `${sessionId}.events.jsonl`);

/** For sessions whose rule asks for no recording. */
export const NOT_RECORDED: Recording = {
  event: async () => {},
  track: () => ({ output: () => undefined, resize: () => {}, exit: () => {} }),
  finish: async () => null,
};

/**
 * A session's recording: one asciicast of all its channels, output only, and a line per
 * channel event beside it. A second channel's output is announced by a marker.
 * @param onFailed called once, when something could not be written.
 * @throws when the files cannot be made.
 */
export async function openRecording(
  facts: RecordingFacts,
  world: RecordingWorld,
  onFailed: (error: unknown) => void,
): Promise<Recording> {
  const cast = new Appender(await world.openSink(castPath(world.directory, facts.session_id)));
  const events = new Appender(await world.openSink(eventsPath(world.directory, facts.session_id)));
  return new FileRecording(facts, world, { cast, events }, onFailed);
}

class FileRecording implements Recording {
  readonly #facts: RecordingFacts;
  readonly #world: RecordingWorld;
  readonly #cast: Appender;
  readonly #events: Appender;
  readonly #onFailed: (error: unknown) => void;
  readonly #texts: Array<() => void> = [];
  #lines: CastLines | undefined;
  #speaking = 0;
  #failed = false;

  constructor(
    facts: RecordingFacts,
    world: RecordingWorld,
    files: { readonly cast: Appender; readonly events: Appender },
    onFailed: (error: unknown) => void,
  ) {
    this.#facts = facts;
    this.#world = world;
    this.#cast = files.cast;
    this.#events = files.events;
    this.#onFailed = onFailed;
  }

  event(event: ChannelEvent): Promise<void> {
    const at = new Date(this.#world.now()).toISOString();
    return this.#guard(this.#events.append(`${JSON.stringify({ at, ...event })}\n`));
  }

  track(channel: number, terminal: Terminal, limited: boolean): Track {
    const texts = [new CastText(), new CastText()] as const;
    const first = this.#lines === undefined;
    if (first) this.#begin(terminal);
    else if (!limited) this.#resized(channel, terminal.cols, terminal.rows);
    this.#texts.push(() => {
      for (const text of texts) this.#say(channel, 'o', text.rest());
    });
    let left = limited ? this.#world.commandBytes : Number.POSITIVE_INFINITY;
    return {
      output: (bytes, stderr) => {
        if (left <= 0) return undefined;
        const kept = bytes.length <= left ? bytes : bytes.subarray(0, left);
        left -= kept.length;
        const text = texts[stderr ? 1 : 0].take(kept);
        const written = text === '' ? undefined : this.#say(channel, 'o', text);
        if (left > 0) return written;
        return this.#say(
          channel,
          'm',
          `channel ${channel}: the rest of the output is not recorded`,
        );
      },
      resize: (cols, rows) => this.#resized(channel, cols, rows),
      exit: (status) => void this.#say(channel, 'x', String(status))?.catch(ignore),
    };
  }

  async finish(): Promise<string | null> {
    for (const flush of this.#texts) flush();
    if (this.#lines === undefined) this.#begin({ cols: 80, rows: 24, type: '' });
    const [digest] = await Promise.all([this.#cast.close(), this.#events.close()]);
    return digest;
  }

  #begin(terminal: Terminal): void {
    const { now, monotonic } = this.#world;
    this.#lines = new CastLines(monotonic());
    const header = castHeader(this.#facts, terminal, now());
    this.#guard(this.#cast.append(header)).catch(ignore);
  }

  #resized(channel: number, cols: number, rows: number): void {
    this.#say(channel, 'r', `${cols}x${rows}`)?.catch(ignore);
  }

  #say(channel: number, code: 'o' | 'r' | 'm' | 'x', data: string): Promise<void> | undefined {
    const lines = this.#lines;
    if (lines === undefined || data === '') return undefined;
    const at = this.#world.monotonic();
    const switched = this.#speaking !== 0 && this.#speaking !== channel;
    const marker = switched && code !== 'm' ? lines.line(at, 'm', `channel ${channel}`) : '';
    this.#speaking = channel;
    return this.#guard(this.#cast.append(marker + lines.line(at, code, data)));
  }

  /** Passes the outcome on, and reports the first failure. */
  #guard(written: Promise<void>): Promise<void> {
    written.catch((error: unknown) => {
      if (this.#failed) return;
      this.#failed = true;
      this.#onFailed(error);
    });
    return written;
  }
}

/** The failure is reported by `onFailed`, which ends the session. */
const ignore = (): void => {};
