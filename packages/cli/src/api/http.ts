import type { ClientRequest, Agent as HttpAgent, IncomingMessage, RequestOptions } from 'node:http';
import type { Agent as HttpsAgent } from 'node:https';
import { type HttpAnswer, HttpFault, type HttpPort, type HttpRequest } from './port.ts';

/** After that a proxy or a laptop's sleep may have ended it, unnoticed. */
const KEPT = { keepAlive: true, timeout: 4_000 };
let plain: HttpAgent | undefined;
let secure: HttpsAgent | undefined;

const MAX_ANSWER = 64 * 1024 * 1024;

/**
 * HTTP over Node's own client. A connection is kept for the next question, and no longer than
 * the service keeps it; meanwhile it does not keep the process alive. `import 'node:http'` would load all of Node's WebSocket code, 50 ms; this way
 * of asking for it does not.
 */
export const nodeHttp: HttpPort = {
  async send(request) {
    const { answer, timer } = await open(request);
    try {
      return { status: answer.statusCode ?? 0, headers: answer.headers, text: await text(answer) };
    } catch (error) {
      throw faultOf(error, request);
    } finally {
      clearTimeout(timer);
    }
  },
  async stream(request) {
    const { answer, timer } = await open(request);
    clearTimeout(timer);
    answer.setEncoding('utf8');
    return {
      status: answer.statusCode ?? 0,
      headers: answer.headers,
      chunks: answer,
      close: () => answer.destroy(),
    };
  },
};

interface Opened {
  readonly answer: IncomingMessage;
  readonly timer: NodeJS.Timeout;
}

async function open(request: HttpRequest): Promise<Opened> {
  if (request.signal.aborted) throw new HttpFault('ABORTED');
  const sent = start(request, optionsOf(request));
  const timer = setTimeout(() => sent.destroy(new HttpFault('TIMEOUT')), request.timeout_ms);
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      sent.once('response', resolve);
      sent.once('error', reject);
      sent.end(request.body);
    });
    return { answer, timer };
  } catch (error) {
    clearTimeout(timer);
    throw faultOf(error, request);
  }
}

function optionsOf({ method, headers, signal, body }: HttpRequest): RequestOptions {
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return { method, headers: { ...headers, ...length }, signal };
}

function start({ url, ca }: HttpRequest, options: RequestOptions): ClientRequest {
  if (url.protocol === 'http:') {
    const { Agent, request } = process.getBuiltinModule('node:http');
    plain ??= new Agent(KEPT);
    return request(url, { ...options, agent: plain });
  }
  const extra = ca === undefined ? {} : { ca: [...authorities(), ca] };
  // Said outright, so that NODE_TLS_REJECT_UNAUTHORIZED=0 does not switch it off.
  const checked = { rejectUnauthorized: true, minVersion: 'TLSv1.2' } as const;
  const { Agent, request } = process.getBuiltinModule('node:https');
  secure ??= new Agent(KEPT);
  return request(url, { ...options, agent: secure, ...extra, ...checked });
}

const authorities = (): string[] => process.getBuiltinModule('node:tls').getCACertificates();

async function text(answer: IncomingMessage): Promise<HttpAnswer['text']> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_ANSWER) throw new HttpFault('TOO_LARGE');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function faultOf(error: unknown, request: HttpRequest): HttpFault {
  if (request.signal.aborted) return new HttpFault('ABORTED');
  if (error instanceof HttpFault) return error;
  // Several addresses were tried: what the first one said.
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const code = (first as { code?: unknown }).code;
  return new HttpFault(typeof code === 'string' ? code : 'UNKNOWN');
}
