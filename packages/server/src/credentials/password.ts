import { isCommon } from './common-passwords.ts';

export const PASSWORD_LENGTH = { min: 12, max: 256 } as const;
/** In UTF-16 units, before it is normalised: more is not even looked at. */
export const LONGEST_INPUT = 1_024;

/** What of a person must not be his password. */
export interface PasswordOwner {
  readonly login: string;
  readonly name: string;
  readonly email: string | null;
}

export type ReadPassword =
  | { readonly ok: true; readonly password: string }
  /** `why` is for whoever chose it: what to do. */
  | { readonly ok: false; readonly why: string };

/**
 * The one text that a password is hashed and compared as: NFKC, so that it is the same from
 * every keyboard (RFC 8265 prefers NFC; NIST SP 800-63B, 3.1.1.2 takes either).
 */
export const normalised = (text: string): string => text.normalize('NFKC');

/**
 * Reads a password that somebody chooses. Long, not the person's own names, not among the
 * commonest: nothing else, for rules on characters make people add a `1!`.
 */
export function readPassword(text: string, owner: PasswordOwner): ReadPassword {
  if (text.length > LONGEST_INPUT || !text.isWellFormed()) return no(TOO_LONG);
  const password = normalised(text);
  const length = [...password].length;
  if (length < PASSWORD_LENGTH.min)
    return no(`The password is too short: at least ${PASSWORD_LENGTH.min} characters.`);
  if (length > PASSWORD_LENGTH.max) return no(TOO_LONG);
  if (/\p{Cc}/u.test(password)) return no('The password holds a control character.');
  if (isOwnNames(password, owner))
    return no('The password is made of the login or the name: choose another one.');
  if (isCommon(password))
    return no('This password is among the first that anybody would try: choose another one.');
  return { ok: true, password };
}

const TOO_LONG = `The password is too long: at most ${PASSWORD_LENGTH.max} characters.`;
const no = (why: string): ReadPassword => ({ ok: false, why });

/** What is left besides the names must be worth something by itself. */
const BESIDES_NAMES = { length: 8, different: 5 } as const;

function isOwnNames(password: string, { login, name, email }: PasswordOwner): boolean {
  const text = normalised(password).toLowerCase();
  const names = [email, email?.split('@')[0], name, login, ...login.split(/[^\p{L}\p{N}]+/u)]
    .concat(name.split(/\s+/))
    .filter((part): part is string => part != null && [...part].length >= 3)
    .map((part) => normalised(part).toLowerCase())
    .sort((a, b) => b.length - a.length);
  let besides = text;
  for (const part of names) besides = besides.replaceAll(part, '');
  if (besides.length === text.length) return false;
  const left = [...besides];
  return left.length < BESIDES_NAMES.length || new Set(left).size < BESIDES_NAMES.different;
}
