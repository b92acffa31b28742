import { Secret as OtpSecret, TOTP } from 'otpauth';

/** RFC 4226, 4 R6: 160 bits. */
export const TOTP_SECRET_BYTES = 20;

const PERIOD_SECONDS = 30;
/** One step before and after, for clocks that are apart (RFC 6238, 5.2). */
const SKEW_STEPS = 1;
const SETTINGS = { algorithm: 'SHA1', digits: 6, period: PERIOD_SECONDS } as const;

const otp = (secret: Buffer, more: { issuer?: string; label?: string } = {}): TOTP =>
  new TOTP({ ...SETTINGS, ...more, secret: new OtpSecret({ buffer: exactly(secret) }) });

/** Not the pool that a small Buffer is a view on. */
const exactly = (bytes: Buffer): ArrayBuffer => Uint8Array.from(bytes).buffer;

/** What an authenticator is given: once as text to type, once as `otpauth:` URI. */
export function enrolmentOf(
  secret: Buffer,
  about: { readonly team: string; readonly login: string },
): { readonly secret: string; readonly uri: string } {
  const totp = otp(secret, { issuer: `Postern ${about.team}`, label: about.login });
  return { secret: totp.secret.base32, uri: totp.toString() };
}

/** As people type it: with spaces. */
export const readCode = (text: string): string | undefined => {
  const code = text.replaceAll(/[\s-]/g, '');
  return /^[0-9]{6}$/.test(code) ? code : undefined;
};

/**
 * The time step (RFC 6238, 4.2) whose code this is, at most one away from now.
 * @param at milliseconds since the epoch
 * @returns undefined: none
 */
export function stepOf(secret: Buffer, code: string, at: number): number | undefined {
  const delta = otp(secret).validate({ token: code, timestamp: at, window: SKEW_STEPS });
  if (delta === null) return undefined;
  return Math.floor(at / 1000 / PERIOD_SECONDS) + delta;
}
