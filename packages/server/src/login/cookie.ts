import { createHash } from 'node:crypto';

export const COOKIE_BYTES = 32;

/** What a browser keeps for us. */
export type CookieName = 'login' | 'device' | 'form' | 'program';

/**
 * Over https `__Host-…`: no other host, and nobody on the way, can have set it (RFC 6265bis,
 * 4.1.3.2). Browsers refuse that name over http, which is on loopback only.
 */
const NAMES: Readonly<Record<CookieName, string>> = {
  login: 'postern',
  device: 'postern-device',
  form: 'postern-form',
  program: 'postern-program',
};
const nameOf = (name: CookieName, secure: boolean): string =>
  secure ? `__Host-${NAMES[name]}` : NAMES[name];

const VALUE = /^[A-Za-z0-9_-]{43}$/;

export interface SentCookie {
  readonly value: string;
  /** Whether it came under the name that nobody else can set. */
  readonly secure: boolean;
}

/**
 * The cookie of that name (RFC 6265, 5.4), `__Host-` first. One that came twice is none: it
 * cannot be told which is ours.
 */
export function cookieOf(header: string | undefined, name: CookieName): SentCookie | undefined {
  const pairs = (header ?? '').split(';').map((pair) => {
    const at = pair.indexOf('=');
    return { name: pair.slice(0, Math.max(at, 0)).trim(), value: pair.slice(at + 1).trim() };
  });
  for (const secure of [true, false]) {
    const sent = pairs.filter((pair) => pair.name === nameOf(name, secure));
    if (sent.length === 0) continue;
    const [only] = sent;
    if (sent.length > 1 || only === undefined || !VALUE.test(only.value)) return undefined;
    return { value: only.value, secure };
  }
  return undefined;
}

/** @param seconds how long the browser keeps it; null: until it is closed; 0: it is removed. */
export function setCookie(
  name: CookieName,
  value: string,
  { secure, seconds }: { readonly secure: boolean; readonly seconds: number | null },
): string {
  const age = seconds === null ? '' : `; Max-Age=${seconds}`;
  return `${nameOf(name, secure)}=${value}; Path=/; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}${age}`;
}

/** What is kept of a cookie. Its name is part of it: one does not serve as another. */
export const hashOfCookie = (name: CookieName, value: string): string => hash(name, value);

/**
 * What a form must bring along: whoever cannot read the cookie cannot know it, and whoever
 * knows it does not know the cookie.
 */
export const csrfOf = (value: string): string => hash('csrf', value);

const hash = (purpose: string, value: string): string =>
  createHash('sha256').update(`postern-${purpose}:${value}`, 'latin1').digest('base64url');
