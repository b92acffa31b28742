import type { FastifyInstance } from 'fastify';
import { Refusal } from './errors.ts';

/**
 * Where in `value` text stands that PostgreSQL does not store: a NUL, or half of a
 * surrogate pair.
 *
 * @returns a JSON pointer; undefined when all of it can be stored.
 */
export function findUnstorable(value: unknown): string | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : '';
  if (typeof value !== 'object' || value === null) return undefined;
  for (const name in value) {
    const item = (value as Record<string, unknown>)[name];
    if (!isStorable(name)) return '';
    const found = findUnstorable(item);
    if (found !== undefined) return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}${found}`;
  }
  return undefined;
}

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

/** Refuses such text wherever it stands in a call, before anybody sees it. */
export function refuseUnstorable(app: FastifyInstance): void {
  app.addHook('preValidation', ({ body, params, query }, _reply, done) => {
    done(refusalOf('', body) ?? refusalOf('path: ', params) ?? refusalOf('query: ', query));
  });
}

function refusalOf(where: string, value: unknown): Refusal | undefined {
  const pointer = findUnstorable(value);
  if (pointer === undefined) return undefined;
  const detail = `${where}must have no NUL and no half of a surrogate pair`;
  return new Refusal('invalid_request', 'The request holds text that is not valid Unicode.', {
    errors: [{ pointer, code: 'unstorable', detail }],
  });
}
