import type { FastifyInstance } from 'fastify';
import { Refusal } from './errors.ts';

/**
 * Where in `value` text stands that PostgreSQL does not store: a NUL, or half of a
 * surrogate pair.
 *
 * @returns a JSON pointer; undefined when all of it can be stored.
 */
export function findUnstorable(value: unknown, at = ''): string | undefined {
  if (typeof value === 'string') return isStorable(value) ? undefined : at;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [name, item] of Object.entries(value)) {
    if (!isStorable(name)) return at;
    const found = findUnstorable(item, `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\u0000');

/** Refuses such text wherever it stands in a call, before anybody sees it. */
export function refuseUnstorable(app: FastifyInstance): void {
  app.addHook('preValidation', async ({ body, params, query }) => {
    for (const [where, value] of Object.entries({ '': body, 'path: ': params, 'query: ': query })) {
      const pointer = findUnstorable(value);
      if (pointer !== undefined)
        throw new Refusal('invalid_request', 'The request holds text that is not valid Unicode.', {
          errors: [
            {
              pointer,
              code: 'unstorable',
              detail: `${where}must have no NUL and no half of a surrogate pair`,
            },
          ],
        });
    }
  });
}
