import type { Socket } from 'node:net';

// As much of D-Bus as it takes to call methods with strings, and to read what they answer:
// dbus.freedesktop.org/doc/dbus-specification.html. A library for all of it would be loaded at
// every command for two calls.

/** The first socket among the addresses of a bus. */
export function socketOf(bus: string): string | undefined {
  for (const address of bus.split(';')) {
    const found = /^unix:(?:[^;]*,)?(path|abstract)=([^,;]+)/.exec(address);
    if (found?.[2] === undefined) continue;
    const name = found[2].replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    return found[1] === 'abstract' ? `\0${name}` : name;
  }
  return undefined;
}

/** The body of the answer. @throws when the answer is an error, or none */
type Call = (path: string, iface: string, words: readonly [string, ...string[]]) => Promise<Buffer>;

/**
 * Says who we are, which the bus sees by itself.
 * @param to whose methods are called
 */
export async function openBus(socket: Socket, to: string): Promise<Call> {
  const take = reader(socket);
  const uid = Buffer.from(String(process.getuid?.() ?? 0)).toString('hex');
  socket.write(`\0AUTH EXTERNAL ${uid}\r\n`);
  const answer = await take((read) =>
    read.includes('\r\n') ? read.indexOf('\r\n') + 2 : undefined,
  );
  if (!answer.toString('latin1').startsWith('OK ')) throw new Error('not let in');
  socket.write('BEGIN\r\n');
  let serial = 0;
  const send = async (sent: Sent) => {
    serial++;
    socket.write(message(serial, sent));
    for (;;) {
      const got = parsed(await take(lengthOf));
      if (got.answers !== serial) continue;
      if (got.isError) throw new Error('refused');
      return got.body;
    }
  };
  const bus = 'org.freedesktop.DBus';
  await send({ to: bus, path: '/org/freedesktop/DBus', iface: bus, words: ['Hello'] });
  return (path, iface, words) => send({ to, path, iface, words });
}

/** Takes from what arrives as many bytes as `length` says; undefined: not known yet. */
function reader(socket: Socket) {
  let read = EMPTY;
  const arrivals = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  return async (length: (read: Buffer) => number | undefined): Promise<Buffer> => {
    for (;;) {
      const needed = length(read);
      if (needed !== undefined && needed <= read.length) {
        const taken = read.subarray(0, needed);
        read = read.subarray(needed);
        return taken;
      }
      const { value, done } = await arrivals.next();
      if (done === true || read.length > 65_536) throw new Error('no answer');
      read = Buffer.concat([read, value]);
    }
  };
}

const padded = (length: number, to: number): number => Math.ceil(length / to) * to;
const FIXED = 16;
const LITTLE = 'l'.charCodeAt(0);

function lengthOf(read: Buffer): number | undefined {
  if (read.length < FIXED) return undefined;
  if (read[0] !== LITTLE) throw new Error('another byte order');
  return padded(FIXED + read.readUInt32LE(12), 8) + read.readUInt32LE(4);
}

/** Which of our messages it answers, and with what. */
function parsed(message: Buffer) {
  const end = FIXED + message.readUInt32LE(12);
  let answers = 0;
  for (let at = FIXED; at < end; ) {
    at = padded(at, 8);
    const [code, , signature] = message.subarray(at, at + 3);
    at += 4;
    if (signature === 'g'.charCodeAt(0)) at += 2 + (message[at] ?? 0);
    else if (signature === 'u'.charCodeAt(0)) {
      if (code === FIELD.answers) answers = message.readUInt32LE(at);
      at += 4;
    } else at += 5 + message.readUInt32LE(at);
  }
  return { answers, isError: message[1] === 3, body: message.subarray(padded(end, 8)) };
}

/** The string, or the path of an object, that a body begins with. */
export const stringIn = (body: Buffer): string =>
  body.toString('utf8', 4, 4 + body.readUInt32LE(0));

const FIELD = { path: 1, iface: 2, member: 3, answers: 5, to: 6, signature: 8 } as const;

interface Sent {
  readonly to: string;
  readonly path: string;
  readonly iface: string;
  /** The method, and its arguments, which are all strings. */
  readonly words: readonly string[];
}

function message(serial: number, { to, path, iface, words: [member = '', ...args] }: Sent): Buffer {
  const body = args.reduce((before, arg) => joined(before, 4, text(arg)), EMPTY);
  const fields = [
    field(FIELD.path, 'o', text(path)),
    field(FIELD.iface, 's', text(iface)),
    field(FIELD.member, 's', text(member)),
    field(FIELD.to, 's', text(to)),
    ...(args.length === 0 ? [] : [field(FIELD.signature, 'g', short('s'.repeat(args.length)))]),
  ].reduce((before, next) => joined(before, 8, next), EMPTY);
  const head = Buffer.alloc(FIXED);
  // A method call, with no flags, of version 1.
  head.set([LITTLE, 1, 0, 1]);
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(serial, 8);
  head.writeUInt32LE(fields.length, 12);
  return joined(Buffer.concat([head, fields]), 8, body);
}

const EMPTY: Buffer = Buffer.alloc(0);

const joined = (before: Buffer, align: number, next: Buffer): Buffer =>
  Buffer.concat([before, Buffer.alloc(padded(before.length, align) - before.length), next]);

const field = (code: number, signature: string, value: Buffer): Buffer =>
  Buffer.concat([Buffer.from([code]), short(signature), value]);

const short = (signature: string): Buffer =>
  Buffer.from([signature.length, ...Buffer.from(signature), 0]);

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  return Buffer.concat([length, bytes, Buffer.alloc(1)]);
}
