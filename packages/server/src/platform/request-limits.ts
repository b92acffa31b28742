import { hash } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Refusal } from './errors.ts';
import { networkOf } from './networks.ts';

const UNLIMITED = ['/healthz', '/readyz', '/metrics'];
const TAKES_TOKENS = /^\/(v1|scim)\//;
const MOST_KNOWN = 10_000;

/**
 * Limits the requests of a minute: of a token that was good here, and of a network for all that
 * comes from it otherwise. What merely stands in Authorization is nobody: with ever another text
 * there nobody would be counted.
 */
export async function limitRequests(app: FastifyInstance, max: number): Promise<void> {
  // Digests, so that no token lies in memory; of the latest that were good.
  const known = new Set<string>();
  const digests = new WeakMap<FastifyRequest, string>();
  app.addHook('onResponse', (request, reply, done) => {
    const token = digests.get(request);
    if (token !== undefined && reply.statusCode < 300 && !known.has(token)) {
      const [oldest] = known.size >= MOST_KNOWN ? known : [];
      if (oldest !== undefined) known.delete(oldest);
      known.add(token);
    }
    done();
  });
  await app.register(rateLimit, {
    max,
    timeWindow: 60_000,
    enableDraftSpec: true,
    // Said to those who reach it; on every answer they would cost more than the counting.
    addHeadersOnExceeding: {
      'ratelimit-limit': false,
      'ratelimit-remaining': false,
      'ratelimit-reset': false,
    },
    keyGenerator: (request) => {
      const token = tokenOf(request);
      if (token !== undefined) digests.set(request, token);
      return token !== undefined && known.has(token) ? token : networkOf(request.ip);
    },
    allowList: (request: FastifyRequest) => UNLIMITED.includes(request.routeOptions.url ?? ''),
    errorResponseBuilder: () =>
      new Refusal('rate_limited', 'Too many requests in this minute.', {
        next: 'Retry-After says in how many seconds to try again.',
      }),
  });
}

/** Where one is read. */
function tokenOf({ headers, routeOptions: { url = '' } }: FastifyRequest): string | undefined {
  const { authorization } = headers;
  if (authorization === undefined || !TAKES_TOKENS.test(url)) return undefined;
  // Without the scheme, which can be written in many ways.
  return hash('sha256', authorization.slice(authorization.indexOf(' ')), 'base64url');
}
