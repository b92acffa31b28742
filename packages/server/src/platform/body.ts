import type { FastifyInstance } from 'fastify';
import { Refusal } from './errors.ts';

export const BODY_LIMIT = 1024 * 1024;
export const MAX_NESTING = 64;

export const tooDeep = (): Refusal =>
  new Refusal('invalid_request', `The body nests deeper than ${MAX_NESTING} levels.`);

/** JSON and nothing else; refuses nesting that would exhaust the stack of whoever walks it. */
export function acceptJsonOnly(
  app: FastifyInstance,
  types: readonly string[] = ['application/json'],
): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>([...types], { parseAs: 'string' }, (request, body, done) => {
    // What takes no body may be sent none with the header; what takes one is refused later.
    if (body === '') return done(null, undefined);
    if (nestsDeeper(body, MAX_NESTING)) {
      done(tooDeep());
      return;
    }
    parse(request, body, done);
  });
}

/** Counts brackets outside strings; whether it is JSON at all is the parser's business. */
export function nestsDeeper(text: string, limit: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > limit) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
}
