import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const servers: Server[] = [];
const sockets: Socket[] = [];
export function closeBuses(): void {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) server.close();
}

/** Text as D-Bus has it, behind its length. */
export const text = (value: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  return Buffer.concat([length, Buffer.from(`${value}\0`)]);
};
const boolean = (value: boolean): Buffer => Buffer.from([1, 98, 0, 0, value ? 1 : 0, 0, 0, 0]);

/** A message to us: 2 an answer, 3 an error, 4 a signal. */
export function message(kind: 2 | 3 | 4, answers: number, body: Buffer): Buffer {
  const head = Buffer.alloc(24);
  head.set(['l'.charCodeAt(0), kind, 0, 1]);
  head.writeUInt32LE(body.length, 4);
  head.writeUInt32LE(1, 8);
  head.writeUInt32LE(8, 12);
  head.set([5, 1, 'u'.charCodeAt(0), 0], 16);
  head.writeUInt32LE(answers, 20);
  return Buffer.concat([head, body]);
}

type Answer = (asked: string, serial: number) => Buffer | undefined;

/** A bus that answers what it is asked, a message at a time. */
export async function busWith(answer: Answer, greeting = 'OK 1234\r\n'): Promise<string> {
  const path = join(tmpdir(), `sft-bus-${process.pid}-${servers.length}-${Math.random()}`);
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    let serial = 0;
    socket.on('data', (data) => {
      const asked = data.toString('latin1');
      // In two parts, as it may come.
      if (asked.includes('AUTH EXTERNAL')) return void socket.write(greeting);
      for (const word of ['Hello', 'ReadAlias', 'Locked']) {
        if (!asked.includes(word)) continue;
        const sent = answer(word, ++serial);
        if (sent === undefined) return;
        socket.write(sent.subarray(0, 10));
        setImmediate(() => socket.write(sent.subarray(10)));
      }
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return `unix:path=${path},guid=00`;
}

/** A Secret Service, with or without a default collection. */
export const usual =
  (collection: string, locked: boolean): Answer =>
  (word, serial) =>
    message(
      2,
      serial,
      word === 'Hello' ? text(':1.5') : word === 'ReadAlias' ? text(collection) : boolean(locked),
    );
