/** Where one secret lies in the keychain of the system. */
export interface KeychainItem {
  readonly service: string;
  readonly account: string;
}

/** `may-ask`: the system may open a dialog, and somebody is there to answer it. */
export type KeychainManner = 'may-ask' | 'quiet';

/**
 * The keychain of the system: Secret Service on Linux, Keychain on macOS, the credential
 * store of Windows. Each call ends within a bound of its own, whatever the keychain does.
 * @throws KeychainFault from each
 */
export interface KeychainPort {
  /** @returns undefined when it is not there */
  get(item: KeychainItem, manner: KeychainManner): Promise<string | undefined>;
  set(item: KeychainItem, secret: string, manner: KeychainManner): Promise<void>;
  /** What is not there is removed as well. */
  remove(item: KeychainItem, manner: KeychainManner): Promise<void>;
}

/**
 * - none: there is no keychain, or no way to it from here;
 * - locked: and nobody was asked to unlock it;
 * - slow: it did not answer in time, or nobody answered its dialog;
 * - refused: it answered, with a no.
 */
export type KeychainTrouble = 'none' | 'locked' | 'slow' | 'refused';

export class KeychainFault extends Error {
  readonly why: KeychainTrouble;
  constructor(why: KeychainTrouble) {
    super(`keychain: ${why}`);
    this.name = 'KeychainFault';
    this.why = why;
  }
}
