import { createHash } from 'node:crypto';

export const INVITATION_BYTES = 32;

const FORM = /^pin_[A-Za-z0-9_-]{43}$/;

/** @param secret {@link INVITATION_BYTES} from the system's generator. */
export function makeInvitation(secret: Buffer): { readonly code: string; readonly hash: string } {
  if (secret.length !== INVITATION_BYTES) throw new RangeError('an invitation needs 256 bits');
  const code = `pin_${secret.toString('base64url')}`;
  return { code, hash: hashOf(code) };
}

/** @returns the hash under which it is kept; undefined for what is no invitation. */
export const hashOfInvitation = (code: string): string | undefined =>
  FORM.test(code) ? hashOf(code) : undefined;

const hashOf = (code: string): string => createHash('sha256').update(code, 'latin1').digest('hex');
