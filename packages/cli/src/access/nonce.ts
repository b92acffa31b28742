import type { Answer } from '@postern/shared';
import type { Api } from '../api/client.ts';
import type { ClockPort } from '../context.ts';

type Nonce = Answer<'createSessionNonce'>;

/** What a session's proof signs, each used once. */
export interface Nonces {
  take(): Promise<Nonce>;
}

/**
 * Asks for the first nonce at once, beside whatever else has to be asked before a session is
 * opened: it says nothing of the session. One that may have run out by now is asked for again.
 */
export function nonces(api: Api, clock: ClockPort): Nonces {
  const ask = () => api.call('createSessionNonce', {});
  const asked = clock.now();
  let first: Promise<Nonce> | undefined = ask();
  // Whoever takes it hears why it failed; nobody may come for it.
  first.catch(() => undefined);
  return {
    take: async () => {
      const early = first;
      first = undefined;
      const nonce = await early;
      if (nonce === undefined) return await ask();
      const half_ms = (nonce.expires_in_seconds / 2) * 1000;
      return clock.now() - asked < half_ms ? nonce : await ask();
    },
  };
}
