import { randomBytes } from 'node:crypto';
import type { Clock } from './clock.ts';

export interface Ids {
  /** UUIDv7 (RFC 9562): later ids of one process sort after earlier ones, whatever the clock does. */
  uuid(): string;
  /** `bytes` bytes from the system's generator: tokens, nonces, keys. */
  random(bytes: number): Buffer;
}

const SEQUENCE_MAX = 0xfff;

/**
 * 48 bits of milliseconds, 12 bits of counter, 62 random bits. Within one millisecond,
 * and while the clock stands still or steps back, the counter counts; when it is full the
 * timestamp runs ahead by one (RFC 9562, 6.2, methods 1 and "fixed bit-length counter").
 */
export function createIds(clock: Clock): Ids {
  let last = -1;
  let sequence = 0;

  const uuid = (): string => {
    const bytes = randomBytes(16);
    const now = clock.now();
    if (now > last) {
      last = now;
      // Half of the counter's room is left for this millisecond.
      sequence = bytes.readUInt16BE(6) & 0x7ff;
    } else if (sequence < SEQUENCE_MAX) {
      sequence += 1;
    } else {
      last += 1;
      sequence = bytes.readUInt16BE(6) & 0x7ff;
    }
    bytes.writeUIntBE(last, 0, 6);
    bytes.writeUInt16BE(0x7000 | sequence, 6);
    bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
    const hex = bytes.toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  };

  return { uuid, random: (bytes) => randomBytes(bytes) };
}
