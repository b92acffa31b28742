import { lookup as systemLookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP } from 'node:net';
import { pinned, type Resolve } from '../notifications/index.ts';
import { isLoopback, isPublicAddress } from '../platform/networks.ts';
import { NotBelieved } from './model.ts';

export interface WorkloadSettings {
  /** Hosts of issuers that may have private addresses; of them, this machine may be plain HTTP. */
  readonly private_hosts: readonly string[];
}

/** What is at a URL, as text. @throws NotBelieved */
export type FetchText = (url: string) => Promise<string>;

const WHOLE_MS = 5_000;
const MAX_ANSWER = 256 * 1024;
const MAX_HEADERS = 16_384;

export const isPlainAllowed =
  ({ private_hosts }: WorkloadSettings) =>
  (hostname: string): boolean =>
    private_hosts.includes(hostname) && isLoopback(hostname.replace(/^\[|\]$/g, ''));

/**
 * As webhooks are sent: an address is looked up once and checked, no redirect is followed, and
 * nothing is waited for longer, or read further, than a set of keys can take.
 */
export function createFetch(
  settings: WorkloadSettings,
  resolve: Resolve = systemLookup,
): FetchText {
  return async (text) => {
    const url = new URL(text);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const allowed = settings.private_hosts.includes(url.hostname);
    if (url.protocol !== 'https:' && !isPlainAllowed(settings)(url.hostname))
      throw new NotBelieved('keys_not_https');
    // An address in the URL itself is never looked up.
    if (isIP(host) !== 0 && !allowed && !isPublicAddress(host))
      throw new NotBelieved('keys_at_private_address');
    try {
      return await read(url, pinned(resolve, allowed));
    } catch (error) {
      if (error instanceof NotBelieved) throw error;
      const { code } = error as { code?: unknown };
      throw new NotBelieved(
        code === 'EPRIVATE' ? 'keys_at_private_address' : `keys_unreachable (${String(code)})`,
      );
    }
  };
}

function read(url: URL, lookup: ReturnType<typeof pinned>): Promise<string> {
  const { request: open } = url.protocol === 'https:' ? https : http;
  return new Promise((done, fail) => {
    const request = open(url, {
      headers: { accept: 'application/json', 'user-agent': 'Postern' },
      lookup,
      agent: false,
      maxHeaderSize: MAX_HEADERS,
    });
    const stop = (reason: string) => request.destroy(new NotBelieved(reason));
    const late = setTimeout(() => stop('keys_too_slow'), WHOLE_MS);
    request.on('error', fail);
    request.on('response', (response) => {
      if (response.statusCode !== 200) return stop(`keys_answered_${response.statusCode}`);
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('error', fail);
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER) stop('keys_too_large');
        else chunks.push(chunk);
      });
      response.on('end', () => done(Buffer.concat(chunks).toString('utf8')));
    });
    request.on('close', () => {
      clearTimeout(late);
      fail(new NotBelieved('keys_unreachable'));
    });
    request.end();
  });
}
