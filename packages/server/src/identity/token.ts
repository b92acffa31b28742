import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * A token as its holder presented it, without its text: what is parsed can be logged and
 * compared, and cannot be presented again.
 */
export interface PresentedToken {
  readonly ok: true;
  /** UUID of the token's row. It may be anybody's guess until {@link matchesToken} says yes. */
  readonly id: string;
  /** SHA-256 of the whole text. */
  readonly digest: Buffer;
}

export const TOKEN_SECRET_BYTES = 32;

// `pst_` lets scanners of repositories and logs find one; id and secret have fixed lengths,
// because base64url may hold the underscore that stands between them.
const FORM = /^pst_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$/;

/**
 * @param id the UUID of the row that keeps `hash`.
 * @param secret {@link TOKEN_SECRET_BYTES} from the system's generator.
 * @returns `token`, shown once and kept nowhere, and what is kept instead.
 * @throws RangeError for another form of id or length of secret.
 */
export function makeToken(
  id: string,
  secret: Buffer,
): { readonly token: string; readonly hash: string } {
  if (secret.length !== TOKEN_SECRET_BYTES) throw new RangeError('a token needs 256 random bits');
  const token = `pst_${id.replaceAll('-', '')}_${secret.toString('base64url')}`;
  const parsed = parseToken(token);
  if (!parsed.ok || parsed.id !== id) throw new RangeError('not a canonical UUID');
  return { token, hash: parsed.digest.toString('hex') };
}

/** Reads exactly the text that {@link makeToken} gave: nothing around it, one spelling. */
export function parseToken(text: string): PresentedToken | { readonly ok: false } {
  const [, hex, secret] = FORM.exec(text) ?? [];
  if (hex === undefined || secret === undefined) return { ok: false };
  if (Buffer.from(secret, 'base64url').toString('base64url') !== secret) return { ok: false };
  const digest = createHash('sha256').update(text, 'latin1').digest();
  return { ok: true, id: uuidOf(hex), digest };
}

/**
 * Whether the presented token is the one whose hash is kept. Takes the same time wherever
 * they differ. A kept hash that is damaged matches nothing.
 */
export function matchesToken(presented: PresentedToken, hash: string): boolean {
  if (!/^[0-9a-f]{64}$/.test(hash)) return false;
  return timingSafeEqual(presented.digest, Buffer.from(hash, 'hex'));
}

function uuidOf(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
