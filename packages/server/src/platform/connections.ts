import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

/** Limits against clients that open connections and say little (slow loris). */
export const HTTP_LIMITS = {
  headersTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  maxHeaderSize: 16 * 1024,
} as const;

export const REQUEST_TIMEOUT_MS = 30_000;
export const KEEP_ALIVE_MS = 15_000;
/** Nothing comes and nothing goes: whoever asked does not read his answer. Streams have a heartbeat. */
export const SILENCE_MS = 120_000;
const MAX_CONNECTIONS = 4_096;
const MAX_PER_ADDRESS = 256;
/** As many as HTTP/2 commonly allows at once on one connection. */
const MAX_UNANSWERED = 100;

/** `exempt` addresses stand for many clients: loopback and trusted proxies. */
export function limitConnections(server: Server, exempt: (address: string) => boolean): void {
  server.maxConnections = MAX_CONNECTIONS;
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (exempt(address)) return;
    const count = (open.get(address) ?? 0) + 1;
    if (count > MAX_PER_ADDRESS) {
      socket.destroy();
      return;
    }
    open.set(address, count);
    socket.once('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
  });
}

/** What a connection has asked for. */
interface Asked {
  /** How many of its requests are not answered yet. */
  unanswered: number;
  /** The latest, which may still be coming. */
  latest: IncomingMessage;
  /** What it is told last, once nothing is owed to it. */
  lastWords?: string;
}
const asked = new WeakMap<Socket, Asked>();

/**
 * Cuts off whoever asks on without reading: one read of a socket brings over a thousand small
 * requests, and each answer lies in memory until the ones before it are read.
 */
export function limitUnanswered(app: FastifyInstance): void {
  app.addHook('onRequest', ({ raw }, reply, done) => {
    const { socket } = raw;
    const connection = asked.get(socket) ?? { unanswered: 0, latest: raw };
    asked.set(socket, connection);
    connection.latest = raw;
    connection.unanswered += 1;
    if (connection.unanswered > MAX_UNANSWERED) {
      reply.hijack();
      socket.destroy();
      return;
    }
    reply.raw.on('close', answered);
    done();
  });
}

function answered(this: ServerResponse): void {
  const { socket } = this.req;
  const connection = asked.get(socket);
  if (connection === undefined) return;
  connection.unanswered -= 1;
  const { lastWords } = connection;
  if (lastWords !== undefined && owed(socket) <= 0 && socket.writable) socket.end(lastWords);
}

/** Answers to whole requests: one that has not come in full is itself what is broken, or late. */
function owed(socket: Socket): number {
  const connection = asked.get(socket);
  if (connection === undefined) return 0;
  return connection.unanswered - (connection.latest.complete ? 0 : 1);
}

/**
 * What cannot be parsed as HTTP is answered by a bare status line and closed, after the answers
 * to what came before it: it would be taken for one of them. What comes too slowly waits for none.
 */
export function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const waits = owed(socket) > 0;
  if (error.code === 'ECONNRESET' || !socket.writable || (late && waits)) {
    socket.destroy();
    return;
  }
  const status = late
    ? '408 Request Timeout'
    : error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : '400 Bad Request';
  const words = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  const connection = asked.get(socket);
  if (connection !== undefined && waits) connection.lastWords = words;
  else socket.end(words);
}
