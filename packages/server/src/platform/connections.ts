import type { Server, ServerResponse } from 'node:http';
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

/** How many requests of a connection are not answered yet. */
const unanswered = new WeakMap<Socket, number>();
/** What is told to a connection last, once nothing is owed to it. */
const lastWords = new WeakMap<Socket, string>();

/**
 * Cuts off whoever asks on without reading: one read of a socket brings over a thousand small
 * requests, and each answer lies in memory until the ones before it are read.
 */
export function limitUnanswered(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    const count = (unanswered.get(socket) ?? 0) + 1;
    unanswered.set(socket, count);
    if (count > MAX_UNANSWERED) {
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
  const count = (unanswered.get(socket) ?? 1) - 1;
  unanswered.set(socket, count);
  const words = lastWords.get(socket);
  if (count === 0 && words !== undefined && socket.writable) socket.end(words);
}

/**
 * What cannot be parsed as HTTP is answered by a bare status line and closed, after the answers
 * to what came before it: it would be taken for one of them.
 */
export function answerBroken(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
  const words = `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
  if ((unanswered.get(socket) ?? 0) > 0) lastWords.set(socket, words);
  else socket.end(words);
}
