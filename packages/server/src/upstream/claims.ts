import { isLogin, printable } from '@postern/shared';
import { type ClaimNames, isListable, type OidcSettings, type Proving } from './model.ts';

/** What a provider says of somebody; its types are what it sent. */
export type Claims = Readonly<Record<string, unknown>>;

/** A person as the provider says that he is. */
export interface Said {
  readonly subject: string;
  /** undefined: no claim is usable as one. */
  readonly login: string | undefined;
  readonly name: string | undefined;
  readonly email: string | null;
  /** Every attribute that the configuration maps; undefined: nothing usable was said. */
  readonly attributes: Readonly<Record<string, string | undefined>>;
}

/** How the person showed the provider that it is him. */
export interface Shown {
  /** RFC 8176, none but what counts here. */
  readonly amr: readonly string[];
  readonly mfa: 'none' | 'any' | 'phr';
  /** Seconds since 1970, by the provider's clock. */
  readonly auth_time: number;
}

const LONGEST_NAME = 200;
const LONGEST_ATTRIBUTE = 256;
const LONGEST_EMAIL = 254;
/** More of a list is not looked at: whoever is in so many groups is in none. */
const MOST_GROUPS = 2_000;
/** More ways to have logged in than anybody has. */
const MOST_METHODS = 20;

/**
 * Reads what the provider says of a person. What is of another type, too long or no plain text
 * is as if it were not there: it fails closed, and never fails a login.
 *
 * @param claims of the ID token, completed by those of userinfo
 * @returns undefined: no subject that could be kept (OIDC Core 2: ASCII, up to 255)
 */
export function readPerson(names: ClaimNames, claims: Claims): Said | undefined {
  const { sub } = claims;
  if (typeof sub !== 'string' || !/^[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?$/.test(sub))
    return undefined;
  const attributes = Object.entries(names.attributes).map(([attribute, claim]) => [
    attribute,
    line(claims, claim, LONGEST_ATTRIBUTE),
  ]);
  const { groups } = names;
  if (groups !== undefined)
    attributes.push([groups.attribute, listed(claimOf(claims, groups.claim), groups.only)]);
  const login = claimOf(claims, names.login);
  const folded = typeof login === 'string' ? login.toLowerCase() : '';
  return {
    subject: sub,
    login: isLogin(folded) ? folded : undefined,
    name: line(claims, names.name, LONGEST_NAME),
    email: emailIn(names, claims),
    attributes: Object.fromEntries(attributes),
  };
}

/** An own property: a claim called `constructor` is one only where it was sent. */
const claimOf = (claims: Claims, name: string): unknown =>
  Object.hasOwn(claims, name) ? claims[name] : undefined;

/** One line of plain text, as it was sent: repaired, it could be somebody else's. */
function line(claims: Claims, name: string, longest: number): string | undefined {
  const value = claimOf(claims, name);
  if (typeof value !== 'string' || value === '' || value.length > longest) return undefined;
  return value.isWellFormed() && printable(value) === value && value.trim() === value
    ? value
    : undefined;
}

/** One that the provider says is not verified could be anybody's. */
function emailIn(names: ClaimNames, claims: Claims): string | null {
  const email = line(claims, names.email, LONGEST_EMAIL);
  const isVerified = ![false, 'false'].includes(claimOf(claims, 'email_verified') as boolean);
  return email !== undefined && isVerified && /^[^\s@]{1,64}@[^\s@]+$/.test(email) ? email : null;
}

/** `|one|two|`, in the order of the configuration; undefined: in none of them. */
function listed(value: unknown, only: readonly string[]): string | undefined {
  if (!Array.isArray(value) || value.length > MOST_GROUPS) return undefined;
  const held = new Set(value.filter((group) => typeof group === 'string'));
  const kept = only.filter((group) => isListable(group) && held.has(group));
  return kept.length === 0 ? undefined : `|${kept.join('|')}|`;
}

/**
 * Reads how he logged in, from the ID token alone: it is what is signed, and for us.
 *
 * @returns undefined: it does not say when, so nothing can rest on it
 */
export function readShown(
  { acr: acrs, amr: amrs }: Pick<OidcSettings, 'acr' | 'amr'>,
  idToken: Claims,
): Shown | undefined {
  const { auth_time } = idToken;
  if (
    typeof auth_time !== 'number' ||
    !Number.isSafeInteger(Math.floor(auth_time)) ||
    auth_time < 0
  )
    return undefined;
  const acr = typeof idToken.acr === 'string' ? [idToken.acr] : [];
  const amr = methodsIn(idToken.amr);
  const mfa = best(levelOf(acrs, acr), levelOf(amrs, amr));
  return {
    amr: mfa === 'none' ? amr.filter((one) => one === 'pwd') : amrFor(amr, amrs),
    mfa,
    auth_time,
  };
}

function methodsIn(value: unknown): string[] {
  if (!Array.isArray(value) || value.length > MOST_METHODS) return [];
  return value.every((one) => typeof one === 'string') ? [...new Set(value as string[])] : [];
}

type Level = 'none' | 'any' | 'phr';
const levelOf = ({ phr, any }: Proving, values: readonly string[]): Level => {
  if (values.some((value) => phr.includes(value))) return 'phr';
  return values.some((value) => any.includes(value)) ? 'any' : 'none';
};
const best = (a: Level, b: Level): Level =>
  a === 'phr' || b === 'phr' ? 'phr' : a === 'any' || b === 'any' ? 'any' : 'none';

/** What the configuration knows, a password, and that it was more than one factor. */
const amrFor = (amr: readonly string[], { phr, any }: Proving): string[] => [
  ...new Set([
    ...amr.filter((one) => one === 'pwd' || phr.includes(one) || any.includes(one)),
    'mfa',
  ]),
];
