/** What a browser says about the page that a request comes from; no page can change it. */
export interface Claims {
  readonly origin: string | undefined;
  readonly sec_fetch_site: string | undefined;
}

/**
 * Whether what changes something was sent by a page of ours. Sec-Fetch-Site says so where a
 * browser sends it (the pages' referrer policy makes Origin `null` in forms: Fetch, 3.2); else
 * Origin does. A request with neither is from no browser that we would trust with a cookie.
 */
export function isOwnPage({ origin, sec_fetch_site }: Claims, own: string): boolean {
  if (sec_fetch_site !== undefined)
    return sec_fetch_site === 'same-origin' && [undefined, 'null', own].includes(origin);
  return origin === own;
}
