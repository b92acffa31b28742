import type { Credentials } from '../platform/credentials.ts';
import type { Presented } from './presented.ts';
import { unauthenticated } from './refusal.ts';
import { checkProof } from './service-proof.ts';

/**
 * Checks what can be checked without the database: that a proof belongs to this request, to
 * this service and to the token beside it.
 *
 * @param origins every base URL that requests to this service may be meant for
 */
export const createPresent =
  (origins: () => readonly string[]) =>
  async (credentials: Credentials | undefined): Promise<Presented | undefined> => {
    if (credentials === undefined || credentials.scheme === 'Bearer') return credentials;
    const { token, proof, method, path } = credentials;
    const urls = origins().map((origin) => `${origin}${path}`);
    const checked = await checkProof(proof, { method, urls, token });
    if (!checked.ok) throw unauthenticated();
    return { scheme: 'DPoP', token, proof: checked.proof };
  };
