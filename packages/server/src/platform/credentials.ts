import type { FastifyRequest } from 'fastify';

/** What a request comes with, as it came: whoever takes it checks it. */
export type Credentials =
  /** A token that whoever holds it may use (RFC 6750). */
  | { readonly scheme: 'Bearer'; readonly token: string }
  /** A token that is good only with a proof of its key's possession (RFC 9449). */
  | {
      readonly scheme: 'DPoP';
      readonly token: string;
      readonly proof: string | undefined;
      readonly method: string;
      /** Path of the request, without its query. */
      readonly path: string;
    };

const AUTHORIZATION = /^(Bearer|DPoP) ([A-Za-z0-9._~+/_-]{1,512}=*)$/i;

/** @returns undefined when there is none, or nothing of a scheme that is known here. */
export function credentialsOf(request: FastifyRequest): Credentials | undefined {
  const [, scheme, token] = AUTHORIZATION.exec(request.headers.authorization ?? '') ?? [];
  if (scheme === undefined || token === undefined) return undefined;
  if (scheme.toLowerCase() === 'bearer') return { scheme: 'Bearer', token };
  // Two proofs arrive joined by a comma, and are then none.
  const { dpop } = request.headers;
  return {
    scheme: 'DPoP',
    token,
    proof: typeof dpop === 'string' ? dpop : undefined,
    method: request.method,
    path: (request.raw.url ?? '').split('?')[0] ?? '',
  };
}

/** The token of a form: whoever sends it holds it. */
export const bearer = (token: string): Extract<Credentials, { scheme: 'Bearer' }> => ({
  scheme: 'Bearer',
  token,
});
