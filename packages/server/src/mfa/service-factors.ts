import type { Tx } from '../platform/tx.ts';

/** What a person can prove himself with beside his login. */
export interface FactorsOf {
  readonly totp: boolean;
  readonly passkeys: boolean;
}

/**
 * Where second factors are kept and checked. Each takes the transaction of whoever asks, and
 * what it uses up (a code, a challenge) stays used up only if that commits.
 */
export interface Factors {
  of(tx: Tx, userId: string): Promise<FactorsOf>;
  /** Whether it is a one-time code of the person that has not served before. */
  checkCode(tx: Tx, userId: string, code: string): Promise<boolean>;
  /**
   * What the person's browser asks his authenticator (PublicKeyCredentialRequestOptionsJSON).
   * @param binding who asks: the answer serves with the same one, once. No secret.
   */
  passkeyOptions(tx: Tx, about: { binding: string; user_id: string }): Promise<object>;
  /** @returns whose passkey has signed, verified by its person; undefined: nobody's. */
  checkPasskey(tx: Tx, about: { binding: string; response: unknown }): Promise<string | undefined>;
}
