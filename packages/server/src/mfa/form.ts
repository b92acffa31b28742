import { type Fields, parseFields } from '../platform/forms.ts';
import { findUnstorable } from '../platform/storable.ts';

/** What the page's forms send; everything in it is text. */
const FIELDS = ['form_token', 'answer', 'code', 'passkey'] as const;
type FieldName = (typeof FIELDS)[number];
export type FormFields = Fields<FieldName>;

export const parseForm = (text: string): FormFields | undefined => parseFields(FIELDS, text);

/** What the person wants with the form. */
export type Wish =
  | { readonly kind: 'code'; readonly code: string }
  | { readonly kind: 'ask_passkey' }
  | { readonly kind: 'passkey'; readonly response: unknown };

/** @returns what is wanted, or what the person who filled it in has to do. */
export function readForm({ answer, code = '', passkey }: FormFields): Wish | string {
  if (answer === 'code') {
    const digits = code.replaceAll(/[\s-]/g, '');
    return /^[0-9]{6}$/.test(digits)
      ? { kind: 'code', code: digits }
      : 'The code of your authenticator app has six digits.';
  }
  if (answer !== 'passkey') return 'Type a code, or use a passkey.';
  if (passkey === undefined || passkey === '') return { kind: 'ask_passkey' };
  const response = parsed(passkey);
  return response === undefined
    ? 'Your browser did not use a passkey. Try once more.'
    : { kind: 'passkey', response };
}

function parsed(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    // The text was refused where it cannot be stored; what it stands for was not looked at.
    return isResponse(value) && findUnstorable(value) === undefined ? value : undefined;
  } catch {
    return undefined;
  }
}

/** As far as whoever checks it relies on it (WebAuthn, AuthenticationResponseJSON). */
function isResponse(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { id, response } = value as { id?: unknown; response?: unknown };
  if (typeof id !== 'string' || typeof response !== 'object' || response === null) return false;
  const { clientDataJSON } = response as { clientDataJSON?: unknown };
  return typeof clientDataJSON === 'string';
}

interface FetchMetadata {
  readonly origin: string | undefined;
  readonly site: string | undefined;
}

/**
 * Whether our own page has sent the form. Browsers say so in Sec-Fetch-Site; those that do not
 * send it name the page's origin. Whatever says neither is not a page of ours.
 */
export function isFromOwnPage({ origin, site }: FetchMetadata, publicUrl: string): boolean {
  if (site !== undefined) return site === 'same-origin';
  return origin === new URL(publicUrl).origin;
}
