import { Transform, type TransformCallback } from 'node:stream';

const CR = 0x0d;
const LF = 0x0a;
const TILDE = 0x7e;
const DOT = 0x2e;

/**
 * `~.` at the start of a line ends a connection that hangs, as in ssh(1): in raw mode no
 * other key can. `~~` sends one tilde; everything else passes as typed.
 */
export class EscapeKeys extends Transform {
  private state: 'start' | 'tilde' | 'inside' = 'start';
  private readonly close: () => void;

  constructor(close: () => void) {
    super();
    this.close = close;
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const out: number[] = [];
    for (const byte of chunk) {
      if (this.state === 'tilde') {
        if (byte === DOT) this.close();
        if (byte !== TILDE) out.push(TILDE);
        this.state = 'inside';
      } else if (this.state === 'start' && byte === TILDE) {
        this.state = 'tilde';
        continue;
      }
      out.push(byte);
      this.state = byte === CR || byte === LF ? 'start' : 'inside';
    }
    done(null, Buffer.from(out));
  }
}
