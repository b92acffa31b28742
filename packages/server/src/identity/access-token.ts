import { createHash } from 'node:crypto';

/**
 * What is kept of a text that its holder presents: a code, an access or a refresh token.
 * The kind is part of it, so that what was issued as one is never found as another.
 *
 * @returns SHA-256 in hex
 */
export const presentedHash = (kind: string, text: string): string =>
  createHash('sha256').update(`${kind}\0${text}`, 'utf8').digest('hex');

/** As an access token is spelled (RFC 6750, 2.1); none of ours is longer. */
export const isTokenText = (text: string): boolean => /^[A-Za-z0-9_-]{20,128}$/.test(text);
