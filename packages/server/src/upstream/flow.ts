import { createHash, createHmac } from 'node:crypto';

export const STATE_BYTES = 32;

const STATE = /^[A-Za-z0-9_-]{43}$/;

/** @returns undefined: not one that we made. */
export const readState = (text: unknown): string | undefined =>
  typeof text === 'string' && STATE.test(text) ? text : undefined;

/** What is kept of the state. */
export const hashOfState = (state: string): string =>
  createHash('sha256').update(`postern-oidc-state:${state}`, 'latin1').digest('base64url');

/** What is kept of the browser's cookie: it finishes the login that it began, and no other. */
export const hashOfBinding = (cookie: string): string =>
  createHash('sha256').update(`postern-oidc-binding:${cookie}`, 'latin1').digest('base64url');

/**
 * The nonce (OIDC Core 3.1.2.1) and the verifier (RFC 7636, 4.1) of one login. They follow from
 * what only the browser has and from the state, so that nothing that could finish the login is
 * kept here, and a cookie makes others for each state.
 */
export function secretsOf(cookie: string, state: string): { nonce: string; verifier: string } {
  const derive = (purpose: string): string =>
    createHmac('sha256', cookie).update(`${purpose}:${state}`, 'latin1').digest('base64url');
  return { nonce: derive('nonce'), verifier: derive('verifier') };
}
