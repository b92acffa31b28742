import { Refusal } from './errors.ts';

/** What a list's query says about paging; the operation's schema bounds `limit`. */
export interface PageQuery {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** A page to read: at most `limit` rows after the one whose id is `after`, in the list's order. */
export interface PageRequest {
  readonly limit: number;
  readonly after: string | undefined;
}

const USUAL_LIMIT = 100;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The last id of a page, in a form nobody is tempted to build by hand. */
export const encodeCursor = (lastId: string): string => Buffer.from(lastId).toString('base64url');

/** @throws Refusal `invalid_request` for what {@link encodeCursor} does not give. */
export function decodeCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString('utf8');
  if (!UUID.test(id) || encodeCursor(id) !== cursor)
    throw new Refusal('invalid_request', 'The cursor is not one that this list gave.', {
      next: 'Follow the Link header, or start again without a cursor.',
      errors: [{ pointer: '/cursor', code: 'cursor', detail: 'query: not a cursor of this list' }],
    });
  return id;
}

export const pageOf = ({ limit, cursor }: PageQuery): PageRequest => ({
  limit: limit ?? USUAL_LIMIT,
  after: cursor === undefined ? undefined : decodeCursor(cursor),
});

/** Cuts rows read with a limit of one more than the page's: the one too many says there is a next page. */
export function cutPage<T extends { readonly id: string }>(
  rows: readonly T[],
  { limit }: PageRequest,
): { readonly list: T[]; readonly next_cursor?: string } {
  const list = rows.slice(0, limit);
  const last = list.at(-1);
  return rows.length > limit && last ? { list, next_cursor: encodeCursor(last.id) } : { list };
}
