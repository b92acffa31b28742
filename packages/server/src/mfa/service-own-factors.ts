import {
  checkTotp,
  methodsOf,
  passkeyAssertionFinish,
  passkeyAssertionOptions,
  relyingPartyOf,
} from '../credentials/index.ts';
import type { Keyring } from '../vault/index.ts';
import type { Factors } from './service-factors.ts';

type Response = Parameters<typeof passkeyAssertionFinish>[2]['response'];

/** The second factors that this service keeps itself. No passkeys where browsers offer none. */
export function ownFactors(keyring: Keyring, publicUrl: string | undefined): Factors {
  const rp = relyingPartyOf(publicUrl);
  return {
    of: async (tx, userId) => {
      const { totp, passkeys } = await methodsOf(tx, userId);
      return { totp, passkeys: rp !== undefined && passkeys.length > 0 };
    },
    checkCode: async (tx, userId, code) => (await checkTotp(tx, keyring, userId, code)).ok,
    passkeyOptions: async (tx, about) =>
      rp === undefined ? {} : await passkeyAssertionOptions(tx, rp, about),
    checkPasskey: async (tx, { binding, response }) => {
      if (rp === undefined) return undefined;
      const asserted = await passkeyAssertionFinish(tx, rp, {
        binding,
        response: response as Response,
      });
      return asserted.ok ? asserted.user_id : undefined;
    },
  };
}
