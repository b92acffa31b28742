import { createHmac } from 'node:crypto';

/**
 * Letters that no two look alike, and that make no words: as oidc-provider's `base-20`
 * (RFC 8628, 6.1). Eight of them are 2.5 × 10^10 codes, of which few are alive for ten minutes.
 */
export const USER_CODE_MASK = '****-****';

const FORM = /^[BCDFGHJKLMNPQRSTVWXZ]{8}$/;

/** What was typed, as the code is kept; undefined when it is none. */
export function readUserCode(typed: string): string | undefined {
  if (typed.length > 32) return undefined;
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, '');
  return FORM.test(code) ? code : undefined;
}

/** As people read it. */
export const showUserCode = (code: string): string => `${code.slice(0, 4)}-${code.slice(4)}`;

/** A code is short enough to be guessed from a plain hash: this one needs the vault's key. */
export const userCodeHash = (key: Buffer, code: string): string =>
  createHmac('sha256', key).update(`user code ${code}`, 'latin1').digest('hex');
