import { createHash } from 'node:crypto';
import type { Instant } from '@postern/shared';

/**
 * The checks of a proof of possession at a resource (RFC 9449, 4.3), one function each; the
 * signature is checked by jose between {@link HEADER_CHECKS} and {@link CLAIM_CHECKS}.
 */

export type ProofFault =
  | 'malformed'
  | 'typ'
  | 'alg'
  | 'jwk'
  | 'signature'
  | 'htm'
  | 'htu'
  | 'iat'
  | 'jti'
  | 'ath';

/** Asymmetric, and each with one kind of key. */
export const PROOF_ALGORITHMS = ['ES256', 'EdDSA'] as const;

/** How far from our clock a proof may have been made, before or after. */
export const PROOF_WINDOW_SECONDS = 60;

type Json = Readonly<Record<string, unknown>>;

/** What the proof is to be about. */
export interface ProofTarget {
  readonly method: string;
  /** Absolute URLs under which the request may have been meant for us, without query. */
  readonly urls: readonly string[];
  readonly token: string;
}

/** A proof whose signature and target are right. Its age, and that it is new, are still to be checked. */
export interface Proof {
  /** RFC 7638 thumbprint of the key that made it. */
  readonly jkt: string;
  readonly jti: string;
  /** Seconds since 1970, as the client's clock had it. */
  readonly iat: number;
}

const typ = (header: Json): boolean => header.typ === 'dpop+jwt';

const alg = (header: Json): boolean =>
  PROOF_ALGORITHMS.some((algorithm) => algorithm === header.alg);

/** A public key of the algorithm, and nothing of a private or symmetric one. */
function jwk(header: Json): boolean {
  if (!isObject(header.jwk)) return false;
  const key = header.jwk;
  if (['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'].some((name) => name in key)) return false;
  return header.alg === 'ES256'
    ? key.kty === 'EC' && key.crv === 'P-256'
    : key.kty === 'OKP' && key.crv === 'Ed25519';
}

/** An extension that must be understood is one that we do not understand (RFC 7515, 4.1.11). */
const noExtension = (header: Json): boolean => !('crit' in header) && !('b64' in header);

/** In this order, before anything is computed with the key that the proof brings. */
export const HEADER_CHECKS: readonly (readonly [ProofFault, (header: Json) => boolean])[] = [
  ['typ', typ],
  ['alg', alg],
  ['jwk', jwk],
  ['malformed', noExtension],
];

const htm = (claims: Json, { method }: ProofTarget): boolean => claims.htm === method;

/** Query and fragment do not count (RFC 9449, 4.3 (9)); scheme and host do, as URLs write them. */
function htu(claims: Json, { urls }: ProofTarget): boolean {
  const { htu: text } = claims;
  if (typeof text !== 'string' || text.length > 4096 || !URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') return false;
  url.search = '';
  url.hash = '';
  return urls.some((expected) => new URL(expected).href === url.href);
}

const iat = (claims: Json): boolean => Number.isSafeInteger(claims.iat) && Number(claims.iat) > 0;

const jti = (claims: Json): boolean =>
  typeof claims.jti === 'string' && claims.jti.length >= 8 && claims.jti.length <= 256;

const ath = (claims: Json, { token }: ProofTarget): boolean =>
  claims.ath === createHash('sha256').update(token, 'latin1').digest('base64url');

/** In this order, once the signature is right. */
export const CLAIM_CHECKS: readonly (readonly [
  ProofFault,
  (claims: Json, target: ProofTarget) => boolean,
])[] = [
  ['htm', htm],
  ['htu', htu],
  ['iat', iat],
  ['jti', jti],
  ['ath', ath],
];

export const headerFault = (header: Json): ProofFault | undefined =>
  HEADER_CHECKS.find(([, holds]) => !holds(header))?.[0];

export const claimFault = (claims: Json, target: ProofTarget): ProofFault | undefined =>
  CLAIM_CHECKS.find(([, holds]) => !holds(claims, target))?.[0];

/** Whether it was made about now, by our clock. */
export const isFresh = (proof: Pick<Proof, 'iat'>, now: Instant): boolean =>
  Math.abs(Math.floor(now / 1000) - proof.iat) <= PROOF_WINDOW_SECONDS;

/** What is remembered of a proof, so that it comes once; of one key and from any. */
export const proofHash = ({ jkt, jti: id }: Proof): string =>
  createHash('sha256').update(`${jkt}\0${id}`, 'utf8').digest('base64url');

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
