import { type LookupAddress, lookup as systemLookup } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Instant } from '@postern/shared';
import { isPublicAddress } from '../platform/networks.ts';
import { DELIVERED, type Letter, type Outcome, type WebhookSettings } from './model.ts';
import { renderWebhook } from './render-webhook.ts';
import { signWebhook } from './sign.ts';

/** All addresses of a name, as the system gives them. */
export type Resolve = (
  hostname: string,
  options: { readonly all: true },
  done: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export type SendWebhook = (letter: Letter, at: Instant, signal: AbortSignal) => Promise<Outcome>;

const WHOLE_MS = 10_000;
const MAX_HEADERS = 16_384;
export const PRIVATE = 'EPRIVATE';

/** Posts to one endpoint. Its URL and key are nowhere but in here. */
export function webhookSender(
  settings: WebhookSettings,
  resolve: Resolve = systemLookup,
): SendWebhook {
  const { url, format, key, allow_private } = settings;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const lookup = pinned(resolve, allow_private);
  return async (letter, at, signal) => {
    // An address in the URL itself is never looked up.
    if (isIP(host) !== 0 && !allow_private && !isPublicAddress(host)) return refusedAs(PRIVATE);
    const body = renderWebhook(format, letter);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      'user-agent': 'Postern',
      ...signWebhook({ id: letter.id, at, body }, key),
    };
    try {
      return outcomeOf(await post(url, { headers, lookup, body, signal }));
    } catch (error) {
      return refusedAs((error as { code?: unknown }).code);
    }
  };
}

/**
 * Looks a name up once, and gives the connection nothing but addresses that were checked: a
 * second answer of the name server has no say. One private address among them is enough to refuse.
 */
export function pinned(resolve: Resolve, allow_private: boolean): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) return done(error ?? coded('ENOTFOUND'), '');
      if (!allow_private && !addresses.every(({ address }) => isPublicAddress(address)))
        return done(coded(PRIVATE), '');
      if (options.all) return done(null, addresses);
      done(null, first.address, first.family);
    });
  };
}

const coded = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code });

interface Post {
  readonly headers: http.OutgoingHttpHeaders;
  readonly lookup: LookupFunction;
  readonly body: string;
  readonly signal: AbortSignal;
}

/**
 * The status alone: what else is answered is not read, a redirect not followed, and a
 * connection never used again. All of it within 10 s, however slowly it comes.
 */
function post(url: URL, { headers, lookup, body, signal }: Post): Promise<number> {
  const { request: open } = url.protocol === 'https:' ? https : http;
  return new Promise((answered, failed) => {
    const request = open(url, {
      method: 'POST',
      headers,
      lookup,
      agent: false,
      maxHeaderSize: MAX_HEADERS,
      signal,
    });
    const late = setTimeout(() => request.destroy(coded('ETIMEDOUT')), WHOLE_MS);
    request.on('error', failed);
    request.on('response', (response) => {
      answered(response.statusCode ?? 0);
      response.on('error', () => {});
      response.destroy();
    });
    request.on('close', () => {
      clearTimeout(late);
      failed(coded('ECONNRESET'));
    });
    request.end(body);
  });
}

/** It says of this body that it is no good; the same one will not be better later. */
const REFUSES_BODY = new Set([400, 410, 413, 415, 422]);

function outcomeOf(status: number): Outcome {
  if (status >= 200 && status < 300) return DELIVERED;
  const redirect = status >= 300 && status < 400 ? '; a redirect is not followed' : '';
  const permanent = REFUSES_BODY.has(status);
  return {
    result: 'failed',
    error: `the webhook answered ${status}${redirect}`,
    of: permanent ? 'message' : 'destination',
    permanent,
  };
}

function refusedAs(code: unknown): Outcome {
  const why = typeof code === 'string' && /^[A-Z_0-9]{1,60}$/.test(code) ? code : 'no reason given';
  const error =
    why === PRIVATE
      ? 'the webhook’s address is private; allow_private in its settings permits that'
      : why === 'ETIMEDOUT'
        ? `the webhook did not answer within ${WHOLE_MS / 1000} s`
        : `the webhook could not be reached (${why})`;
  return { result: 'failed', error, of: 'destination', permanent: false };
}
