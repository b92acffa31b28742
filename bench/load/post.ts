import { connect, type Socket } from 'node:net';

/**
 * A load generator: keeps `connections` busy with one and the same POST for `ms`, one at a
 * time on each, and prints how many were answered with 200 and how many otherwise. It
 * writes bytes and counts Content-Length, so that it costs little beside the server.
 * A process of its own; the job is read from its standard input.
 */
interface Job {
  readonly url: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly ms: number;
}

const chunks: Buffer[] = [];
for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
const job = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Job;
const { hostname, port, pathname } = new URL(job.url);
const request = Buffer.from(
  [
    `POST ${pathname} HTTP/1.1`,
    `host: ${hostname}:${port}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(job.body)}`,
    ...Object.entries(job.headers).map(([name, value]) => `${name}: ${value}`),
    '',
    job.body,
  ].join('\r\n'),
);

let ok = 0;
let others = 0;
const took: number[] = [];
const sockets: Socket[] = [];
const started = performance.now();
for (let i = 0; i < job.connections; i++) sockets.push(busy());
setTimeout(() => {
  const seconds = (performance.now() - started) / 1000;
  for (const socket of sockets) socket.destroy();
  took.sort((a, b) => a - b);
  const p99 = took[Math.floor(took.length * 0.99)] ?? null;
  process.stdout.write(`${JSON.stringify({ ok, others, seconds, p99 })}\n`);
}, job.ms);

function busy(): Socket {
  const socket = connect(Number(port), hostname);
  let got = Buffer.alloc(0);
  let sent = 0;
  const send = (): void => {
    sent = performance.now();
    socket.write(request);
  };
  socket.on('connect', send);
  socket.on('error', () => others++);
  socket.on('data', (data) => {
    got = got.length === 0 ? data : Buffer.concat([got, data]);
    const head = got.indexOf('\r\n\r\n');
    if (head < 0) return;
    const text = got.toString('latin1', 0, head);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? Number.NaN);
    if (Number.isNaN(length)) throw new Error(`an answer without a length: ${text}`);
    if (got.length < head + 4 + length) return;
    if (text.startsWith('HTTP/1.1 200')) ok++;
    else others++;
    took.push(performance.now() - sent);
    got = Buffer.alloc(0);
    send();
  });
  return socket;
}
