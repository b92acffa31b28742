import {
  calculateJwkThumbprint,
  decodeProtectedHeader,
  EmbeddedJWK,
  type JWK,
  jwtVerify,
} from 'jose';
import {
  claimFault,
  headerFault,
  PROOF_ALGORITHMS,
  type Proof,
  type ProofFault,
  type ProofTarget,
} from './proof.ts';

const LONGEST = 4096;

type Checked =
  | { readonly ok: true; readonly proof: Proof }
  | { readonly ok: false; readonly fault: ProofFault };

const refused = (fault: ProofFault): Checked => ({ ok: false, fault });

/**
 * Checks everything of a proof but its age and that it comes for the first time: those need
 * a clock and a memory.
 *
 * @param text the one `DPoP` header of the request
 */
export async function checkProof(text: string | undefined, target: ProofTarget): Promise<Checked> {
  if (text === undefined || text.length > LONGEST) return refused('malformed');
  const header = headerOf(text);
  if (header === undefined) return refused('malformed');
  const wrong = headerFault(header);
  if (wrong !== undefined) return refused(wrong);
  try {
    // No time is checked here: a proof has an `iat`, and whoever keeps the clock judges it.
    const { payload, protectedHeader } = await jwtVerify(text, EmbeddedJWK, {
      algorithms: [...PROOF_ALGORITHMS],
      currentDate: new Date(0),
    });
    const fault = claimFault(payload, target);
    if (fault !== undefined) return refused(fault);
    const jkt = await calculateJwkThumbprint(protectedHeader.jwk as JWK);
    return { ok: true, proof: { jkt, jti: payload.jti as string, iat: payload.iat as number } };
  } catch {
    return refused('signature');
  }
}

function headerOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return decodeProtectedHeader(text);
  } catch {
    return undefined;
  }
}
