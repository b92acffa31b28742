import { createHash } from 'node:crypto';
import { decodeAttestationObject, decodeClientDataJSON } from '@simplewebauthn/server/helpers';

export const CHALLENGE_BYTES = 32;

export const hashOfChallenge = (challenge: string): string =>
  createHash('sha256').update(challenge, 'utf8').digest('hex');

/** What the browser says that its authenticator signed. Anything may have been sent. */
export interface ClientData {
  readonly challenge: string;
}

/** @returns undefined for what no page of ours can have sent. */
export function clientDataOf(clientDataJSON: string): ClientData | undefined {
  try {
    const { challenge, crossOrigin } = decodeClientDataJSON(clientDataJSON);
    // A frame in somebody else's page (WebAuthn, 13.4.9); our pages are in none.
    if (typeof challenge !== 'string' || crossOrigin === true) return undefined;
    return { challenge };
  } catch {
    return undefined;
  }
}

/**
 * Whether the attestation asks us to trust nobody else: none, or by the new key itself. No other
 * is asked for. The verification of one with certificates would fetch what these name.
 */
export function isOwnAttestation(attestationObject: string): boolean {
  try {
    const bytes = Uint8Array.from(Buffer.from(attestationObject, 'base64url'));
    const attestation = decodeAttestationObject(bytes);
    const fmt = attestation.get('fmt');
    return fmt === 'none' || (fmt === 'packed' && !attestation.get('attStmt').get('x5c'));
  } catch {
    return false;
  }
}
