import { type KeyObject, randomBytes } from 'node:crypto';
import {
  Admitted,
  GatewaySignal,
  instant,
  Lease,
  PROBLEMS,
  type ProblemCode,
  signRequest,
} from '@postern/shared';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { Agent, request } from 'undici';
import { type ServicePort, ServiceRefusal, ServiceUnavailable } from './service-port.ts';

export interface ServiceClientWorld {
  readonly api: URL;
  readonly team: string;
  readonly ca: string | undefined;
  readonly gatewayId: string;
  readonly key: KeyObject;
  /** Host keys as told with each renewal. */
  readonly hostKeys: readonly string[];
  readonly now: () => number;
}

const CALL_MS = 10_000;
/** The service sends a comment every 10 s; silence for longer is a dead stream. */
const SILENCE_MS = 25_000;
const MAX_ANSWER = 1024 * 1024;

/** The service over HTTP, every call signed (RFC 9421), every answer checked against the contract. */
export function createServiceClient(world: ServiceClientWorld): ServicePort & { close(): void } {
  const dispatcher = new Agent({
    connect: { timeout: CALL_MS, ...(world.ca === undefined ? {} : { ca: world.ca }) },
    bodyTimeout: SILENCE_MS,
    headersTimeout: CALL_MS,
  });
  const base = `/v1/teams/${encodeURIComponent(world.team)}/gateway`;

  const call = async (method: 'GET' | 'POST', path: string, body: unknown, until?: AbortSignal) => {
    const bytes = body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body));
    const target = base + path;
    const signed = signRequest({
      method,
      path: target,
      query: '',
      body: bytes,
      keyid: world.gatewayId,
      key: world.key,
      created: instant(world.now()),
      nonce: randomBytes(18).toString('base64url'),
    });
    try {
      return await request(new URL(target, world.api), {
        method,
        dispatcher,
        headers: {
          ...signed,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: bytes }),
        signal: until ?? AbortSignal.timeout(CALL_MS),
      });
    } catch (error) {
      throw new ServiceUnavailable('the service cannot be reached', { cause: error });
    }
  };

  const ask = async <T>(path: string, body: unknown, schema: TSchema | undefined): Promise<T> => {
    const response = await call('POST', path, body);
    const text = await readText(response.body);
    if (response.statusCode >= 300) throw refusalOf(response.statusCode, text);
    if (schema === undefined) return undefined as T;
    const answer = parseJson(text);
    if (!Value.Check(schema, answer))
      throw new ServiceUnavailable('the service answered something else than agreed');
    return answer as T;
  };

  return {
    admit: (admission) => ask('/admissions', admission, Admitted),
    renew: (sessions) => ask('/lease', { sessions, host_keys: world.hostKeys }, Lease),
    report: (id, report) => ask(`/sessions/${id}/events`, report, undefined),
    signals: async (onSignal, until) => {
      const response = await call('GET', '/stream', undefined, until);
      if (response.statusCode !== 200)
        throw refusalOf(response.statusCode, await readText(response.body));
      for await (const data of events(response.body)) {
        const signal = parseJson(data);
        if (Value.Check(GatewaySignal, signal)) onSignal(signal);
      }
    },
    close: () => void dispatcher.destroy(),
  };
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of body) {
      size += part.length;
      if (size > MAX_ANSWER) throw new ServiceUnavailable('the answer is too large');
      parts.push(part);
    }
  } catch (error) {
    if (error instanceof ServiceUnavailable) throw error;
    throw new ServiceUnavailable('the answer broke off', { cause: error });
  }
  return Buffer.concat(parts).toString('utf8');
}

/** The data of server-sent events, one at a time; comments and other fields are passed over. */
async function* events(body: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder();
  for await (const part of body) {
    rest += decoder.decode(part, { stream: true });
    if (rest.length > MAX_ANSWER) throw new ServiceUnavailable('an event is too large');
    let end = rest.indexOf('\n\n');
    for (; end !== -1; end = rest.indexOf('\n\n')) {
      const lines = rest.slice(0, end).split('\n');
      rest = rest.slice(end + 2);
      const data = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice(5));
      if (data.length > 0) yield data.join('\n');
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusalOf(status: number, text: string): Error {
  const problem = parseJson(text) as { code?: unknown; detail?: unknown } | undefined;
  if (status >= 500 && problem?.code === undefined)
    return new ServiceUnavailable(`the service answered ${status}`);
  const code =
    typeof problem?.code === 'string' && problem.code in PROBLEMS ? problem.code : 'unknown';
  const detail = typeof problem?.detail === 'string' ? problem.detail : `status ${status}`;
  return new ServiceRefusal(code as ProblemCode | 'unknown', status, detail);
}
