/** Whom passkeys are made for (WebAuthn, 4: Relying Party). */
export interface RelyingParty {
  /** A host name: passkeys of it and of nothing above it. */
  readonly id: string;
  /** The one origin that they are used from. */
  readonly origin: string;
}

/**
 * @param publicUrl where a browser reaches the service
 * @returns undefined where browsers offer no passkeys: no URL, or an address instead of a name
 * (WebAuthn, 5.1.2: the RP id is a domain)
 */
export function relyingPartyOf(publicUrl: string | undefined): RelyingParty | undefined {
  if (publicUrl === undefined || !URL.canParse(publicUrl)) return undefined;
  const { hostname: id, origin, protocol } = new URL(publicUrl);
  if (/^[\d.]+$/.test(id) || id.startsWith('[')) return undefined;
  if (protocol !== 'https:' && id !== 'localhost') return undefined;
  return { id, origin };
}
