import type { Author } from '../identity/index.ts';

/** An identity provider that is heard, as read in the transaction that hears it. */
export interface Connection {
  readonly id: string;
  readonly name: string;
  readonly authoritative: ReadonlySet<string>;
  /** Its changes are its own, and of everybody who made it or saw its token. */
  readonly author: Author;
  /** Where its resources are. */
  readonly base: string;
}

/** The ETag of a resource: it counts its changes. */
export const etagOf = (version: number): string => `W/"${version}"`;

/** Whether a header of ETags names this one (RFC 9110 §13.1); weak and strong are the same here. */
export function namesEtag(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  const bare = (text: string): string => text.trim().replace(/^W\//, '');
  return header.split(',').some((text) => bare(text) === bare(etag));
}
