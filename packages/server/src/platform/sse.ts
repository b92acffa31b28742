import type { OutgoingHttpHeaders } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';

export interface EventStream {
  /** One server-sent event; `data` is JSON on one line. */
  send(event: string, data: unknown): void;
  close(): void;
  readonly closed: boolean;
  onClose(callback: () => void): void;
}

const HEARTBEAT_MS = 10_000;
/** A reader that lets this much pile up is cut off: it will connect again and read anew. */
const MAX_BACKLOG = 1024 * 1024;

/**
 * Answers with server-sent events (WHATWG HTML, text/event-stream), whatever the Accept
 * header: curl's default is served too. A comment every 10 s keeps the way open and shows
 * a reader that is gone.
 */
export function openStream(request: FastifyRequest, reply: FastifyReply): EventStream {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
    connection: 'keep-alive',
  });
  raw.write(': postern\n\n');
  const callbacks = new Set<() => void>();
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    clearInterval(heartbeat);
    raw.end();
    for (const callback of callbacks) callback();
  };
  const write = (text: string): void => {
    if (closed) return;
    raw.write(text);
    if (raw.writableLength > MAX_BACKLOG) {
      raw.destroy();
      close();
    }
  };
  const heartbeat = setInterval(() => write(': \n\n'), HEARTBEAT_MS);
  heartbeat.unref();
  request.raw.on('close', close);
  raw.on('close', close);
  raw.on('error', close);
  // Whoever left while he was being authenticated is gone already: no event says so again.
  if (request.raw.socket.destroyed) close();
  return {
    send: (event, data) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`),
    close,
    get closed() {
      return closed;
    },
    onClose: (callback) => {
      if (closed) callback();
      else callbacks.add(callback);
    },
  };
}
