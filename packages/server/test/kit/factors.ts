import type { Factors } from '../../src/mfa/index.ts';
import type { Tx } from '../../src/platform/tx.ts';

/** Second factors of a test's people, in memory: a code serves once, a passkey's challenge too. */
export interface TestFactors extends Factors {
  /** Who has an authenticator app. */
  readonly apps: Set<string>;
  /** Who has a passkey. */
  readonly passkeys: Set<string>;
  /** A code of the person that has not served. */
  code(userId: string): string;
  /** What the person's authenticator answers to the question that was put to `binding`. */
  signed(userId: string, challenge: string): object;
}

export function testFactors(): TestFactors {
  const apps = new Set<string>();
  const passkeys = new Set<string>();
  const codes = new Map<string, string>();
  const asked = new Map<string, { challenge: string; user_id: string }>();
  let n = 0;
  return {
    apps,
    passkeys,
    code: (userId) => {
      n += 1;
      const code = String(100_000 + n);
      codes.set(code, userId);
      return code;
    },
    signed: (userId, challenge) => ({
      id: userId,
      response: { clientDataJSON: challenge },
    }),
    of: async (_tx: Tx, userId) => ({ totp: apps.has(userId), passkeys: passkeys.has(userId) }),
    checkCode: async (_tx, userId, code) => {
      if (codes.get(code) !== userId || !apps.has(userId)) return false;
      return codes.delete(code);
    },
    passkeyOptions: async (_tx, { binding, user_id }) => {
      n += 1;
      const challenge = `challenge-${n}`;
      asked.set(binding, { challenge, user_id });
      return { challenge };
    },
    checkPasskey: async (_tx, { binding, response }) => {
      const question = asked.get(binding);
      asked.delete(binding);
      const { id, response: given } = response as {
        id: string;
        response: { clientDataJSON: string };
      };
      const isAnswer = question !== undefined && given.clientDataJSON === question.challenge;
      return isAnswer && passkeys.has(id) ? id : undefined;
    },
  };
}
