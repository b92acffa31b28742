import { type KeyObject, randomBytes } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import {
  Admitted,
  GatewaySignal,
  instant,
  Lease,
  operations,
  PROBLEMS,
  type ProblemCode,
  signRequest,
} from '@postern/shared';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { Agent, type Dispatcher, request } from 'undici';
import type { Enrolment } from './enrol.ts';
import { type ServicePort, ServiceRefusal, ServiceUnavailable } from './service-port.ts';
import { EventReader } from './sse.ts';

export interface ServiceAddress {
  readonly api: URL;
  readonly team: string;
  readonly ca: string | undefined;
}

export interface ServiceClientWorld extends ServiceAddress {
  readonly gatewayId: string;
  readonly key: KeyObject;
  /** Told anew with each renewal. */
  readonly hostKeys: readonly string[];
  readonly now: () => number;
}

const CALL_MS = 8_000;
/** Shorter than the lease by enough for a second try. */
const RENEW_MS = 4_000;
/** The service sends a comment every 10 s; silence for longer is a dead stream. */
const SILENCE_MS = 25_000;
const MAX_ANSWER = 1024 * 1024;

/** The service over HTTP, every call signed (RFC 9421), every answer checked against the contract. */
export function createServiceClient(world: ServiceClientWorld): ServicePort & { close(): void } {
  const dispatcher = agentOf(world);

  const call = async (
    operation: { readonly method: 'GET' | 'POST'; readonly path: string },
    id: string,
    body: unknown,
    until: AbortSignal,
  ) => {
    const path = pathOf(operation.path, world.team, id);
    const bytes = Buffer.from(body === undefined ? '' : JSON.stringify(body));
    const signed = signRequest({
      method: operation.method,
      path,
      query: '',
      body: bytes,
      keyid: world.gatewayId,
      key: world.key,
      created: instant(world.now()),
      nonce: randomBytes(18).toString('base64url'),
    });
    return send(dispatcher, new URL(path, world.api), operation.method, bytes, signed, until);
  };

  const ask = async <T>(
    operation: { readonly method: 'POST'; readonly path: string },
    body: unknown,
    schema: TSchema | undefined,
    { id = '', ms = CALL_MS } = {},
  ): Promise<T> => {
    const response = await call(operation, id, body, AbortSignal.timeout(ms));
    const text = await readText(response.body);
    if (response.statusCode >= 300) throw refusalOf(response.statusCode, text);
    if (schema === undefined) return undefined as T;
    const answer = parseJson(text);
    if (!Value.Check(schema, answer))
      throw new ServiceUnavailable('the service answered something else than agreed');
    return answer as T;
  };

  return {
    admit: (admission) => ask(operations.admitSession, admission, Admitted),
    renew: (sessions) =>
      ask(operations.renewLease, { sessions, host_keys: world.hostKeys }, Lease, { ms: RENEW_MS }),
    report: (id, report) => ask(operations.reportSession, report, undefined, { id }),
    signals: async (onSignal, until) => {
      const response = await call(operations.gatewayStream, '', undefined, until);
      if (response.statusCode !== 200)
        throw refusalOf(response.statusCode, await readText(response.body));
      const reader = new EventReader();
      for await (const bytes of response.body as AsyncIterable<Buffer>)
        for (const data of reader.take(bytes)) {
          const signal = parseJson(data);
          if (Value.Check(GatewaySignal, signal)) onSignal(signal);
        }
    },
    close: () => void dispatcher.destroy(),
  };
}

/** @returns the new gateway's id. @throws ServiceRefusal, ServiceUnavailable */
export async function enrol(address: ServiceAddress, body: Enrolment): Promise<string> {
  const dispatcher = agentOf(address);
  try {
    const { method, path, ok } = operations.enrollGateway;
    const url = new URL(pathOf(path, address.team, ''), address.api);
    const bytes = Buffer.from(JSON.stringify(body));
    const response = await send(dispatcher, url, method, bytes, {}, AbortSignal.timeout(CALL_MS));
    const text = await readText(response.body);
    if (response.statusCode !== 201) throw refusalOf(response.statusCode, text);
    const answer = parseJson(text);
    if (!Value.Check(ok[201], answer))
      throw new ServiceUnavailable('the service answered something else than agreed');
    return answer.gateway_id;
  } finally {
    await dispatcher.destroy();
  }
}

const agentOf = ({ ca }: ServiceAddress): Agent =>
  new Agent({
    connect: { timeout: CALL_MS, ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }) },
    bodyTimeout: SILENCE_MS,
    headersTimeout: CALL_MS,
  });

/** The path exactly as it stands on the wire: it is signed. */
const pathOf = (template: string, team: string, id: string): string =>
  template.replace('{team}', encodeURIComponent(team)).replace('{id}', encodeURIComponent(id));

async function send(
  dispatcher: Dispatcher,
  url: URL,
  method: 'GET' | 'POST',
  body: Buffer,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Dispatcher.ResponseData> {
  const hasBody = method === 'POST';
  try {
    return await request(url, {
      method,
      dispatcher,
      signal,
      headers: { ...headers, ...(hasBody && { 'content-type': 'application/json' }) },
      ...(hasBody && { body }),
    });
  } catch (error) {
    throw new ServiceUnavailable(`the service cannot be reached: ${whyOf(error)}`, {
      cause: error,
    });
  }
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of body) {
      size += part.length;
      if (size > MAX_ANSWER) throw new Error('too large');
      parts.push(part);
    }
  } catch (error) {
    throw new ServiceUnavailable(`the answer broke off: ${whyOf(error)}`, { cause: error });
  }
  return Buffer.concat(parts).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusalOf(status: number, text: string): ServiceRefusal | ServiceUnavailable {
  const problem = parseJson(text) as { code?: unknown; detail?: unknown } | null | undefined;
  const code = problem?.code;
  if (typeof code !== 'string') return new ServiceUnavailable(`the service answered ${status}`);
  const known = Object.hasOwn(PROBLEMS, code) ? (code as ProblemCode) : 'unknown';
  const detail = typeof problem?.detail === 'string' ? problem.detail : `status ${status}`;
  return new ServiceRefusal(known, status, detail);
}

/** Node's codes are words; a DOMException's is a number that says nothing. */
const whyOf = (error: unknown): string => {
  const { code, message } = error as { code?: unknown; message: string };
  return typeof code === 'string' ? code : message;
};
