import { StringDecoder } from 'node:string_decoder';
import { printable } from '@postern/shared';

// asciicast v3: a header line, then `[interval, code, data]` lines, the interval in seconds
// since the line before. https://docs.asciinema.org/manual/asciicast/v3/

export interface Terminal {
  readonly cols: number;
  readonly rows: number;
  /** The client's TERM; empty for a command without a terminal. */
  readonly type: string;
}

/** Who and where: stands in the header of every recording. */
export interface RecordingFacts {
  readonly session_id: string;
  readonly user_name: string;
  readonly server_name: string;
  readonly identity: string;
  readonly request_id: string | null;
  readonly client_address: string;
}

export function castHeader(facts: RecordingFacts, terminal: Terminal, startedAt: number): string {
  const { cols, rows, type } = terminal;
  return line({
    version: 3,
    term: { cols, rows, ...(type === '' ? {} : { type: printable(type) }) },
    timestamp: Math.floor(startedAt / 1000),
    title: printable(`${facts.user_name} as ${facts.identity} on ${facts.server_name}`),
    postern: facts,
  });
}

/** Codes: o output, r resize, m marker, x exit. */
export type CastCode = 'o' | 'r' | 'm' | 'x';

/** Turns instants of one monotonic clock into lines; the rounding never adds up. */
export class CastLines {
  #last: number;
  constructor(startedAt: number) {
    this.#last = Math.round(startedAt);
  }

  line(at: number, code: CastCode, data: string): string {
    const now = Math.max(Math.round(at), this.#last);
    const interval = (now - this.#last) / 1000;
    this.#last = now;
    return line([interval, code, data]);
  }
}

/**
 * Bytes of one stream as text, without breaking a character that two chunks share; the
 * first bytes of such a character are held back until the rest is there.
 */
export class CastText {
  readonly #decoder = new StringDecoder('utf8');
  take(bytes: Buffer): string {
    return this.#decoder.write(bytes);
  }
  rest(): string {
    return this.#decoder.end();
  }
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;
