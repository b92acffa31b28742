import { createHash } from 'node:crypto';

/** From the system's generator; as base64url they are the last part of a link. */
export const LINK_BYTES = 32;

/** What is kept of a link: it recognizes the link and cannot be turned back into it. */
export const hashOfLink = (text: string): string =>
  createHash('sha256').update(text, 'utf8').digest('hex');
