import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type Body,
  type Operation,
  type OperationId,
  operations,
  type Params,
  PROBLEMS,
  type Problem,
  type ProblemCode,
  type Query,
} from '@postern/shared';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';

import { FakeOauth } from './oauth.ts';

export const TOKEN = 'fake-token-7d1f0c';
export const TEAM = 'demo';

/** One request as it came, already held to the contract. */
export interface Received<K extends OperationId = OperationId> {
  readonly id: K;
  readonly params: Params<K>;
  readonly query: Query<K>;
  readonly body: Body<K>;
  readonly headers: IncomingMessage['headers'];
}

interface Reply {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is, without the checks. */
  readonly raw?: string;
}

/** Answers a request, or takes over the response (server-sent events). */
type Handler<K extends OperationId> = (
  request: Received<K>,
  response: ServerResponse,
) => Reply | undefined | Promise<Reply | undefined>;

export function problem(code: ProblemCode, detail: string, more: Partial<Problem> = {}): Reply {
  const { status, title } = PROBLEMS[code];
  const type = `urn:postern:${code}`;
  const body = { type, title, status, detail, code, trace_id: 'trace-1', ...more };
  return { status, body, headers: { 'content-type': 'application/problem+json; charset=utf-8' } };
}

/**
 * A service that answers only what a test lets it, and that holds every request, and every
 * answer of the test itself, to the shared operations. Breaches end the test (`breaches`).
 */
export class FakeService {
  readonly received: Received[] = [];
  readonly breaches: string[] = [];
  private readonly handlers = new Map<OperationId, Handler<never>>();
  private readonly server = createServer((request, response) => {
    this.answer(request, response).catch((error: unknown) => {
      this.breaches.push(String(error));
      response.destroy();
    });
  });
  token = TOKEN;
  /** Its authorization server. */
  readonly oauth = new FakeOauth();

  on<K extends OperationId>(id: K, handler: Handler<K>): this {
    this.handlers.set(id, handler as unknown as Handler<never>);
    return this;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** What was asked, in order; without nonces, which are asked for beside anything else. */
  get asked(): readonly OperationId[] {
    return this.received.map((r) => r.id).filter((id) => id !== 'createSessionNonce');
  }

  last<K extends OperationId>(id: K): Received<K> {
    const found = this.received.findLast((r) => r.id === id);
    if (found === undefined) throw new Error(`${id} was not asked`);
    return found as unknown as Received<K>;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.url);
    if (url.pathname.startsWith('/oauth/')) return this.oauth.answer(this.url, request, response);
    const found = match(request.method ?? '', url.pathname);
    if (found === undefined) throw new Error(`no operation ${request.method} ${url.pathname}`);
    const { id, params } = found;
    const operation: Operation = operations[id];
    const body = await read(request);
    const isKnown =
      request.headers.authorization === `Bearer ${this.token}` ||
      this.oauth.accepts(this.url, request);
    if (operation.access === 'public') {
      if (request.headers.authorization !== undefined) this.breaches.push(`${id}: carries a token`);
    } else if (!isKnown)
      return send(response, problem('unauthenticated', 'The token is not valid.'));
    const query = coerced(operation.query, url.searchParams);
    this.hold(id, 'params', operation.params, params);
    this.hold(id, 'query', operation.query, query);
    this.hold(id, 'body', operation.body, body);
    if (operation.if_match === 'required' && !/^"[^"]+"$/.test(request.headers['if-match'] ?? ''))
      this.breaches.push(`${id}: no If-Match`);
    const { headers } = request;
    const received = { id, params, query, body, headers } as unknown as Received;
    this.received.push(received);
    const handler = this.handlers.get(id) as Handler<OperationId> | undefined;
    if (handler === undefined) throw new Error(`${id} is not expected`);
    const reply = await handler(received, response);
    if (reply !== undefined) this.send(id, operation, response, reply);
  }

  private send(id: OperationId, operation: Operation, response: ServerResponse, reply: Reply) {
    const status = reply.status ?? Number(Object.keys(operation.ok)[0]);
    const schema = operation.ok[status];
    if (schema !== undefined && status !== 204 && reply.raw === undefined)
      this.hold(id, 'answer', schema, reply.body);
    send(response, { ...reply, status });
  }

  private hold(id: OperationId, part: string, schema: TSchema | undefined, value: unknown): void {
    if (schema === undefined) {
      const isEmpty =
        value === undefined || Object.keys(value as object).every((k) => k === 'team');
      if (!isEmpty) this.breaches.push(`${id}: takes no ${part}`);
      return;
    }
    if (Value.Check(schema, value)) return;
    const [first] = Value.Errors(schema, value);
    this.breaches.push(`${id}: ${part} ${JSON.stringify(first)} in ${JSON.stringify(value)}`);
  }
}

/** Of two that fit, the one with fewer parameters, as a router takes it. */
const byParameters = Object.entries(operations).sort(
  ([, a], [, b]) => a.path.split('{').length - b.path.split('{').length,
);

function match(method: string, path: string) {
  for (const [id, operation] of byParameters) {
    if (operation.method !== method) continue;
    const pattern = operation.path.replaceAll(/\{(\w+)\}/g, '(?<$1>[^/]+)');
    const groups = new RegExp(`^${pattern}$`).exec(path)?.groups;
    if (groups === undefined) continue;
    const decoded = Object.entries(groups).map(([k, v]) => [k, decodeURIComponent(v)]);
    return { id: id as OperationId, params: Object.fromEntries(decoded) };
  }
  return undefined;
}

async function read(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  return text === '' ? undefined : (JSON.parse(text) as unknown);
}

/** As the service does it: numbers for query parameters, and for nothing else. */
function coerced(schema: TSchema | undefined, query: URLSearchParams): unknown {
  const values = Object.fromEntries(query);
  return schema === undefined ? values : Value.Convert(schema, values);
}

function send(response: ServerResponse, { status = 200, body, headers, raw }: Reply): void {
  const type = typeof body === 'string' ? 'text/plain' : 'application/json; charset=utf-8';
  response.writeHead(status, { 'content-type': type, ...headers });
  if (status === 204) response.end();
  else response.end(raw ?? (typeof body === 'string' ? body : JSON.stringify(body)));
}
