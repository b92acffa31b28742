import { createHash } from 'node:crypto';

export const LINK_CODE_BYTES = 16;

const FORM = /^pcl_[A-Za-z0-9_-]{22}$/;

export interface LinkCode {
  /** Shown once, kept nowhere. */
  readonly code: string;
  readonly hash: string;
}

/** @param secret {@link LINK_CODE_BYTES} from the system's generator. */
export function makeLinkCode(secret: Buffer): LinkCode {
  if (secret.length !== LINK_CODE_BYTES) throw new RangeError('a link code needs 128 random bits');
  const code = `pcl_${secret.toString('base64url')}`;
  return { code, hash: hashOf(code) };
}

/** @returns the hash under which the code is kept; undefined for what is no code. */
export const hashOfLinkCode = (text: string): string | undefined =>
  FORM.test(text) ? hashOf(text) : undefined;

const hashOf = (code: string): string => createHash('sha256').update(code, 'latin1').digest('hex');
