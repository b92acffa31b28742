import type { KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import {
  type GatewaySignal,
  instant,
  parsePublicKey,
  splitTarget,
  verifyRequest,
} from '@postern/shared';
import { ServiceRefusal } from '../src/service-port.ts';
import { FakeService } from './service.ts';

/** A {@link FakeService} behind HTTP: checks each signature as the real one does. */
export interface HttpService {
  readonly url: string;
  readonly fake: FakeService;
  /** Requests whose signature, team or nonce did not hold. */
  readonly refused: string[];
  readonly enrolled: unknown[];
  /** From now on `line` signs for `gatewayId`. */
  know(gatewayId: string, line: string): void;
  readonly streams: number;
  close(): Promise<void>;
}

export async function startHttpService(team = 'demo'): Promise<HttpService> {
  const fake = new FakeService();
  const keys = new Map<string, KeyObject>();
  const nonces = new Set<string>();
  const refused: string[] = [];
  const enrolled: unknown[] = [];
  let streams = 0;

  const known = (gatewayId: string, line: string) => {
    const key = parsePublicKey(line);
    if (!key.ok) throw new Error(key.reason);
    keys.set(gatewayId, key.value.key);
  };

  const authentic = (request: IncomingMessage, body: Buffer): boolean => {
    for (const [gatewayId, key] of keys) {
      const verdict = verifyRequest({
        method: request.method ?? '',
        ...splitTarget(request.url ?? ''),
        headers: request.headers as Record<string, string>,
        body,
        keyid: gatewayId,
        key,
        now: instant(Date.now()),
      });
      if (!verdict.ok || nonces.has(verdict.value.nonce)) continue;
      nonces.add(verdict.value.nonce);
      return true;
    }
    refused.push(request.url ?? '');
    return false;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse, body: Buffer) => {
    const json = (status: number, value: unknown, type = 'application/json') => {
      response.writeHead(status, { 'content-type': type });
      response.end(JSON.stringify(value));
    };
    const path = request.url?.slice(`/v1/teams/${team}/gateway`.length);
    const text = body.toString('utf8');
    if (path === '/enroll') {
      const wish = JSON.parse(text);
      enrolled.push(wish);
      const type = 'application/problem+json';
      if (wish.code !== 'good-code')
        return json(403, { code: 'not_permitted', detail: 'the code is not valid' }, type);
      const gatewayId = '01900000-0000-7000-8000-0000000000aa';
      known(gatewayId, wish.public_key);
      return json(201, { gateway_id: gatewayId });
    }
    if (!authentic(request, body)) return json(401, { code: 'unauthenticated', detail: 'who?' });
    if (path === '/stream') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(': hello\n\n');
      streams += 1;
      const stop = new AbortController();
      response.once('close', () => stop.abort());
      const send = (signal: GatewaySignal) =>
        response.write(`event: signal\ndata: ${JSON.stringify(signal)}\n\n`);
      return fake.signals(send, stop.signal);
    }
    if (path === '/admissions') return json(200, await fake.admit(JSON.parse(text)));
    if (path === '/lease') return json(200, await fake.renew(JSON.parse(text).sessions));
    const reported = /^\/sessions\/([^/]+)\/events$/.exec(path ?? '');
    if (reported?.[1] === undefined) return json(404, { code: 'not_found', detail: 'no' });
    await fake.report(reported[1], JSON.parse(text));
    response.writeHead(204);
    response.end();
  };

  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      answer(request, response, Buffer.concat(parts)).catch((error: unknown) => {
        const { code, status, message } = error as ServiceRefusal;
        response.writeHead(status ?? 503, { 'content-type': 'application/problem+json' });
        const refusal = error instanceof ServiceRefusal;
        response.end(refusal ? JSON.stringify({ code, detail: message }) : 'broken');
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    fake,
    refused,
    enrolled,
    know: known,
    get streams() {
      return streams;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
