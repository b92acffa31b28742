const SHOWN = '[secret]';

/**
 * Bytes that must not be shown. Printed, logged, put into JSON, into a template or into an
 * error, it says `[secret]`; only {@link Secret.expose} gives the bytes, and is what to look
 * for in a review.
 */
export class Secret {
  readonly #bytes: Buffer;

  private constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Takes a copy: wipe the original where it is yours. */
  static of(value: string | Uint8Array): Secret {
    return new Secret(typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value));
  }

  /** The bytes themselves, not a copy: all zero after {@link Secret.wipe}. */
  expose(): Buffer {
    return this.#bytes;
  }

  /** Overwrites the bytes. Strings made from them are out of reach. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  [Symbol.dispose](): void {
    this.wipe();
  }

  toString(): string {
    return SHOWN;
  }

  toJSON(): string {
    return SHOWN;
  }

  [Symbol.toPrimitive](): string {
    return SHOWN;
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return SHOWN;
  }
}
