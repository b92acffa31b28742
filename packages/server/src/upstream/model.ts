/** The OpenID provider that people log in with, as the configuration says. Holds a secret. */
export interface OidcSettings {
  /** What the login page calls it. */
  readonly name: string;
  /** Exactly as the provider's tokens name it. */
  readonly issuer: string;
  readonly client_id: string;
  readonly client_secret: string;
  /** `openid` among them. */
  readonly scopes: readonly string[];
  readonly claims: ClaimNames;
  /** Values that prove a second factor; what is in neither list proves nothing. */
  readonly acr: Proving;
  readonly amr: Proving;
  /** Whether somebody who is not here yet is made a user. */
  readonly jit: boolean;
  /** Hosts whose addresses may be private; those on loopback may be http as well. */
  readonly private_hosts: readonly string[];
}

/** `phr`: resists phishing, and is enough alone. */
export interface Proving {
  readonly phr: readonly string[];
  readonly any: readonly string[];
}

/** Which claim says what. */
export interface ClaimNames {
  readonly login: string;
  readonly name: string;
  readonly email: string;
  /** Attribute of ours → claim. */
  readonly attributes: Readonly<Record<string, string>>;
  /** undefined: the provider's groups say nothing here. */
  readonly groups: GroupClaim | undefined;
}

export interface GroupClaim {
  readonly claim: string;
  /** The attribute of ours that lists them, for group rules to read. */
  readonly attribute: string;
  /** The provider's groups that count. Others are not kept. */
  readonly only: readonly string[];
}

/** What has a name that is kept between `|`, so that a rule can ask for it exactly. */
export const isListable = (group: string): boolean => !group.includes('|');

/** An issuer as identities are kept by it: with and without a slash at the end it is the same. */
export const withoutSlash = (issuer: string): string => issuer.replace(/\/+$/, '');
