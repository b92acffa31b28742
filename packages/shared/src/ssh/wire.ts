/** A parser's answer: the value, or one word from a closed list. Parsers here never throw. */
export type Parsed<T, R extends string> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: R };

export type WireReason = 'truncated' | 'trailing_bytes' | 'too_long' | 'malformed';

/** No SSH structure read here comes near this; anything longer is refused unread. */
export const MAX_WIRE_BYTES = 65_536;

/** Thrown by {@link WireReader} only; {@link parseWire} is the one place that catches it. */
class WireError extends Error {
  readonly reason: WireReason;
  constructor(reason: WireReason) {
    super(reason);
    this.reason = reason;
  }
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads the data types of RFC 4251 §5 in order. It exists only inside {@link parseWire}.
 * What it returns are copies: they do not change with the input.
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#take(1)[0] as number;
  }

  /** RFC 4251 lets any non-zero byte mean true; here only 0 and 1 are accepted. */
  boolean(): boolean {
    const value = this.byte();
    if (value > 1) throw new WireError('malformed');
    return value === 1;
  }

  u32(): number {
    return this.#take(4).readUInt32BE();
  }

  u64(): bigint {
    return this.#take(8).readBigUInt64BE();
  }

  string(): Buffer {
    return this.#take(this.u32());
  }

  /** A string that is valid UTF-8 without U+0000; overlong forms and surrogates are refused. */
  text(): string {
    let text: string;
    try {
      text = strictUtf8.decode(this.string());
    } catch (error) {
      throw error instanceof WireError ? error : new WireError('malformed');
    }
    if (text.includes('\0')) throw new WireError('malformed');
    return text;
  }

  /** A positive mpint in its one shortest form, as unsigned big-endian bytes without leading zero. */
  positiveMpint(): Buffer {
    const bytes = this.string();
    const first = bytes[0];
    if (first === undefined || first > 0x7f) throw new WireError('malformed');
    if (first !== 0) return bytes;
    if ((bytes[1] ?? 0) <= 0x7f) throw new WireError('malformed');
    return bytes.subarray(1);
  }

  /** Everything that is left. */
  rest(): Buffer {
    return this.#take(this.#bytes.length - this.#at);
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new WireError('trailing_bytes');
  }

  #take(length: number): Buffer {
    if (length > this.#bytes.length - this.#at) throw new WireError('truncated');
    const part = Buffer.from(this.#bytes.subarray(this.#at, this.#at + length));
    this.#at += length;
    return part;
  }
}

/** Runs `read` over the whole of `bytes`: what `read` leaves unread is refused as trailing. */
export function parseWire<T>(
  bytes: Uint8Array,
  read: (reader: WireReader) => T,
): Parsed<T, WireReason> {
  if (bytes.length > MAX_WIRE_BYTES) return { ok: false, reason: 'too_long' };
  try {
    const reader = new WireReader(bytes);
    const value = read(reader);
    reader.end();
    return { ok: true, value };
  } catch (error) {
    if (error instanceof WireError) return { ok: false, reason: error.reason };
    throw error;
  }
}

/** @param n an integer of 0 … 2^32−1; anything else throws a RangeError. */
export function wireU32(n: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(n);
  return bytes;
}

/** @param n an integer of 0 … 2^64−1; anything else throws a RangeError. */
export function wireU64(n: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(n);
  return bytes;
}

/**
 * @throws RangeError for text with a lone surrogate: as UTF-8 it would collide with other
 * text, and what is signed must have one reading.
 */
export function wireString(value: string | Uint8Array): Buffer {
  if (typeof value === 'string' && !value.isWellFormed()) throw new RangeError('ill-formed text');
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
  return Buffer.concat([wireU32(bytes.length), bytes]);
}

/** @param unsigned big-endian; leading zeros are dropped, a sign byte is added where needed. */
export function wireMpint(unsigned: Uint8Array): Buffer {
  let start = 0;
  while (start < unsigned.length && unsigned[start] === 0) start += 1;
  const bytes = unsigned.subarray(start);
  const sign = (bytes[0] ?? 0) > 0x7f ? [Buffer.alloc(1)] : [];
  return wireString(Buffer.concat([...sign, bytes]));
}
