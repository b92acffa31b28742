import { hasDisplay, isInteractive, type World } from './context.ts';
import { Failure, interrupted, usage } from './failure.ts';
import {
  KeychainFault,
  type KeychainItem,
  type KeychainManner,
  type KeychainTrouble,
} from './keychain.ts';

/** The key of a login, as it is kept in the keychain. */
export interface SealKey {
  /** The account of its item: a name of its own for each login. */
  readonly id: string;
  /** 32 bytes, base64url. */
  readonly secret: string;
}

const itemOf = (id: string): KeychainItem => ({ service: 'Postern sft', account: id });

/** A dialog is for whoever sits before it: nobody answers one from the other end of ssh. */
const mannerOf = (world: World): KeychainManner =>
  isInteractive(world) && hasDisplay(world) ? 'may-ask' : 'quiet';

/** Whether the person wants none. @throws Failure 64 for a value that means nothing */
export function isOff({ env: { SFT_KEYCHAIN } }: World): boolean {
  if (SFT_KEYCHAIN === undefined || SFT_KEYCHAIN === '' || SFT_KEYCHAIN === 'auto') return false;
  if (SFT_KEYCHAIN === 'off') return true;
  throw usage(`SFT_KEYCHAIN is ${SFT_KEYCHAIN}.`, 'Set it to off or auto, or unset it.');
}

/**
 * A fresh key in the keychain, seen to be there.
 * @returns 'file' where there is no keychain that works, or none is wanted
 */
export async function freshKey(
  world: World,
  manner: KeychainManner = mannerOf(world),
): Promise<SealKey | 'file'> {
  if (isOff(world)) return 'file';
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const key = { id: crypto.randomUUID(), secret: Buffer.from(bytes).toString('base64url') };
  try {
    await world.keychain.set(itemOf(key.id), key.secret, manner);
    if ((await world.keychain.get(itemOf(key.id), manner)) === key.secret) return key;
  } catch (error) {
    if (!(error instanceof KeychainFault)) throw error;
    if (world.interrupt.aborted) throw interrupted();
  }
  return 'file';
}

/** @throws Failure 78 when it cannot be had */
export async function keyOf(
  world: World,
  id: string,
  manner: KeychainManner = mannerOf(world),
): Promise<SealKey> {
  if (isOff(world))
    throw new Failure(
      'configuration',
      'The key to the stored login is in the keychain, and SFT_KEYCHAIN is off.',
      'Unset SFT_KEYCHAIN, or run `sft login`, which then keeps a login in a file.',
    );
  try {
    const secret = await world.keychain.get(itemOf(id), manner);
    if (secret !== undefined) return { id, secret };
  } catch (error) {
    if (!(error instanceof KeychainFault)) throw error;
    if (world.interrupt.aborted) throw interrupted();
    throw new Failure('configuration', SAID[error.why], NEXT[error.why]);
  }
  throw new Failure(
    'configuration',
    'The keychain has no key to the stored login any more.',
    AGAIN,
  );
}

/** A key that is left behind opens nothing: that it could not be removed is no failure. */
export async function forgetKey(world: World, id: string): Promise<void> {
  if (isOff(world)) return;
  try {
    await world.keychain.remove(itemOf(id), 'quiet');
  } catch (error) {
    if (!(error instanceof KeychainFault)) throw error;
  }
}

const AGAIN = 'Run `sft login` again; with SFT_KEYCHAIN=off it keeps the login in a file.';

const SAID: Readonly<Record<KeychainTrouble, string>> = {
  none: 'The key to the stored login is in the keychain, and there is none to be reached here.',
  locked: 'The keychain with the key to the stored login is locked.',
  slow: 'The keychain with the key to the stored login does not answer.',
  refused: 'The keychain does not give out the key to the stored login.',
};

const NEXT: Readonly<Record<KeychainTrouble, string>> = {
  none: AGAIN,
  locked:
    'Unlock it, or run `sft whoami` at a desktop terminal, which asks; or log in with SFT_KEYCHAIN=off.',
  slow: AGAIN,
  refused: AGAIN,
};
