import { lookup as systemLookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { PRIVATE, pinned, type Resolve } from '../notifications/index.ts';
import { isLoopback, isPublicAddress } from '../platform/networks.ts';

const MAX_ANSWER = 512 * 1024;
const MAX_HEADERS = 16_384;

/** As openid-client asks for it. */
export interface Asked {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchSettings {
  /** Hosts whose addresses may be private; those on loopback may be http as well. */
  readonly private_hosts: readonly string[];
  /** For the whole of one request, its answer included. */
  readonly whole_ms: number;
}

/**
 * What the provider is asked with. An address is looked up once and checked, whatever names the
 * provider's documents give; nothing is followed, no connection used again, and an answer has
 * an end in size and in time.
 *
 * @throws Error with a `code`: PRIVATE, EPROTO, ETIMEDOUT, EMSGSIZE, or of the network
 */
export const createProviderFetch =
  ({ private_hosts, whole_ms }: FetchSettings, resolve: Resolve = systemLookup) =>
  async (address: string, { method, headers, body, signal }: Asked): Promise<Response> => {
    const url = new URL(address);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const allowed = private_hosts.includes(url.hostname);
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowed && isLoopback(host)))
      throw coded('EPROTO');
    if (url.username !== '' || url.password !== '') throw coded('EPROTO');
    // An address in the URL itself is never looked up.
    if (isIP(host) !== 0 && !allowed && !isPublicAddress(host)) throw coded(PRIVATE);
    const payload = bytesOf(body);
    const { request: open } = url.protocol === 'https:' ? https : http;
    return await new Promise((answered, fail) => {
      const request = open(url, {
        method,
        headers: {
          ...headers,
          'user-agent': 'Postern',
          ...(payload === undefined ? {} : { 'content-length': payload.length }),
        },
        lookup: pinned(resolve, allowed),
        agent: false,
        maxHeaderSize: MAX_HEADERS,
        ...(signal === undefined ? {} : { signal }),
      });
      const late = setTimeout(() => request.destroy(coded('ETIMEDOUT')), whole_ms);
      request.on('error', fail);
      request.on('response', (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('error', fail);
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER) request.destroy(coded('EMSGSIZE'));
          else chunks.push(chunk);
        });
        response.on('end', () => {
          const made = responseOf(response, Buffer.concat(chunks));
          if (made === undefined) fail(coded('EPROTO'));
          else answered(made);
        });
      });
      request.on('close', () => {
        clearTimeout(late);
        fail(coded('ECONNRESET'));
      });
      request.end(payload);
    });
  };

function bytesOf(body: unknown): Buffer | undefined {
  if (body === undefined || body === null) return undefined;
  if (typeof body === 'string' || body instanceof URLSearchParams) return Buffer.from(`${body}`);
  throw new TypeError('a body of text was expected');
}

/** @returns undefined: of a status that a Response cannot have. */
function responseOf(
  { statusCode = 0, headers }: http.IncomingMessage,
  body: Buffer,
): Response | undefined {
  if (statusCode < 200 || statusCode > 599) return undefined;
  const type = headers['content-type'];
  const bare = [204, 205, 304].includes(statusCode);
  return new Response(bare ? null : new Uint8Array(body), {
    status: statusCode,
    headers: type === undefined ? {} : { 'content-type': type },
  });
}

const coded = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });
