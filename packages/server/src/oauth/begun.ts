import { type Instant, instant } from '@postern/shared';

/** What is kept with an authorization of where and when it began; no client says it. */
export interface Begun {
  /** A hash of the cookie of the browser: it goes on, and no other. */
  readonly browser: string;
  readonly at: Instant;
}

/** The parameter under which oidc-provider keeps it. One that a client sends is there twice, and refused. */
export const BEGUN = 'begun';

export const writeBegun = ({ browser, at }: Begun): string => `${browser}.${at}`;

export function readBegun(text: unknown): Begun | undefined {
  const [, browser, at] = /^([A-Za-z0-9_-]{43})\.([0-9]{1,15})$/.exec(String(text)) ?? [];
  return browser === undefined ? undefined : { browser, at: instant(Number(at)) };
}

/** What clocks, those of a provider where people log in among them, may differ by. */
const LEEWAY_MS = 30_000;

/**
 * Whether the person must log in once more before it goes on (OIDC Core 3.1.2.1). Counted from
 * when it began: who logs in for it has done enough, however long he takes.
 */
export function isTooOld(
  { prompt, max_age }: { readonly prompt?: unknown; readonly max_age?: unknown },
  begun_at: Instant,
  auth_time: Instant,
): boolean {
  const again = String(prompt ?? '')
    .split(' ')
    .includes('login');
  const oldest = again ? 0 : max_age === undefined ? Number.POSITIVE_INFINITY : Number(max_age);
  return auth_time + LEEWAY_MS < begun_at - oldest * 1000;
}
