import { createHash } from 'node:crypto';

/** From the system's generator; as base64url they are the last part of the page's address. */
export const SECRET_BYTES = 32;

const hash = (text: string): string => createHash('sha256').update(text, 'utf8').digest('hex');

/** What is kept of the address: it recognizes it and cannot be turned back into it. */
export const hashOfSecret = (secret: string): string => hash(secret);

/** What the page's form carries: whoever has not read the page does not know it. */
export const formTokenOf = (secret: string): string => hash(`form of ${secret}`);
