/** SOCKS version 5 (RFC 1928), CONNECT without authentication: what `-D` serves. */

export type SocksStep<T> =
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly reply: Buffer }
  | { readonly kind: 'done'; readonly value: T; readonly length: number };

const VERSION = 5;
const MORE = { kind: 'more' } as const;
export const NO_AUTHENTICATION = Buffer.from([VERSION, 0]);
const NO_METHOD = Buffer.from([VERSION, 0xff]);

export type SocksReply = 'succeeded' | 'refused' | 'bad_command' | 'bad_address' | 'failure';

const CODES: Readonly<Record<SocksReply, number>> = {
  succeeded: 0,
  failure: 1,
  refused: 5,
  bad_command: 7,
  bad_address: 8,
};

/** §6, with the address that nobody uses, all zero. */
export const socksReply = (reply: SocksReply): Buffer =>
  Buffer.from([VERSION, CODES[reply], 0, 1, 0, 0, 0, 0, 0, 0]);

/** §3: which methods the client offers; only "none" is taken. */
export function readGreeting(bytes: Buffer): SocksStep<undefined> {
  if (bytes.length > 0 && bytes[0] !== VERSION) return { kind: 'bad', reply: NO_METHOD };
  const count = bytes[1];
  if (count === undefined || bytes.length < 2 + count) return MORE;
  const methods = bytes.subarray(2, 2 + count);
  if (!methods.includes(0)) return { kind: 'bad', reply: NO_METHOD };
  return { kind: 'done', value: undefined, length: 2 + count };
}

/** §4: where to connect to. */
export function readRequest(
  bytes: Buffer,
): SocksStep<{ readonly host: string; readonly port: number }> {
  if (bytes.length > 0 && bytes[0] !== VERSION) return bad('failure');
  if (bytes.length < 5) return MORE;
  if (bytes[1] !== 1) return bad('bad_command');
  const address = readAddress(bytes.subarray(3));
  if (address === 'bad') return bad('bad_address');
  if (address === undefined || bytes.length < 3 + address.length + 2) return MORE;
  const port = bytes.readUInt16BE(3 + address.length);
  if (port === 0) return bad('failure');
  return { kind: 'done', value: { host: address.host, port }, length: 3 + address.length + 2 };
}

const bad = (reply: SocksReply) => ({ kind: 'bad', reply: socksReply(reply) }) as const;

/** §5: its type, then its bytes. */
function readAddress(
  bytes: Buffer,
): { readonly host: string; readonly length: number } | 'bad' | undefined {
  const [type, first = 0] = bytes;
  const size = type === 1 ? 4 : type === 4 ? 16 : type === 3 ? first : undefined;
  if (size === undefined || (type === 3 && size === 0)) return 'bad';
  const start = type === 3 ? 2 : 1;
  if (bytes.length < start + size) return undefined;
  const raw = bytes.subarray(start, start + size);
  const length = start + size;
  if (type === 1) return { host: raw.join('.'), length };
  if (type === 4) {
    const groups = Array.from({ length: 8 }, (_, i) => raw.readUInt16BE(i * 2).toString(16));
    return { host: groups.join(':'), length };
  }
  const host = raw.toString('latin1');
  return /^[A-Za-z0-9._:-]+$/.test(host) ? { host, length } : 'bad';
}
