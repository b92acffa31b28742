import type { FastifyInstance } from 'fastify';
import { Refusal } from './errors.ts';

/** What a form sends; everything in it is text. */
export type Fields<F extends string> = Readonly<Partial<Record<F, string>>>;

/**
 * Reads application/x-www-form-urlencoded (WHATWG URL, 5.1), strictly: percent-encoding is
 * whole and UTF-8, every field is one of `names` and stands there once.
 *
 * @returns undefined for anything else
 */
export function parseFields<F extends string>(
  names: readonly F[],
  text: string,
): Fields<F> | undefined {
  const fields: Partial<Record<F, string>> = {};
  for (const pair of text === '' ? [] : text.split('&')) {
    const at = pair.indexOf('=');
    const name = names.find((field) => field === pair.slice(0, Math.max(at, 0)));
    const value = decoded(pair.slice(at + 1));
    if (name === undefined || value === undefined || fields[name] !== undefined) return undefined;
    fields[name] = value;
  }
  return fields;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

export const notTheForm = (): Refusal => new Refusal('invalid_request', 'This is not the form.');

/**
 * Takes forms in this scope, and nothing else.
 *
 * @param parse undefined is not the form
 * @param options.bodyLimit in bytes; unset, the route's
 */
export function takeForms(
  scope: FastifyInstance,
  parse: (text: string) => Fields<string> | undefined,
  options: { readonly bodyLimit?: number } = {},
): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser<string>(
    'application/x-www-form-urlencoded',
    { parseAs: 'string', ...options },
    (_request, body, done) => {
      const fields = parse(body);
      if (fields === undefined) done(notTheForm());
      else done(null, fields);
    },
  );
}
