import { connect } from 'node:net';
import { openBus, socketOf, stringIn } from './dbus.ts';

/** Whether secrets can be had from the Secret Service without a dialog. */
export type SecretServiceState = 'none' | 'locked' | 'unlocked' | 'slow';

const SECRETS = 'org.freedesktop.secrets';

/**
 * Looks whether the default collection is locked, which asks nobody anything. The library that
 * fetches secrets cannot look: it asks for whatever is locked to be unlocked, with a dialog.
 *
 * @param bus where the session bus listens, as in DBUS_SESSION_BUS_ADDRESS
 */
export async function secretServiceState(bus: string, ms: number): Promise<SecretServiceState> {
  const path = socketOf(bus);
  if (path === undefined) return 'none';
  const socket = connect(path);
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    socket.destroy();
  }, ms);
  try {
    const call = await openBus(socket, SECRETS);
    const alias = await call('/org/freedesktop/secrets', 'org.freedesktop.Secret.Service', [
      'ReadAlias',
      'default',
    ]);
    const collection = stringIn(alias);
    // No collection is the default: there is nothing yet to keep a secret in.
    if (collection === '/') return 'none';
    const locked = await call(collection, 'org.freedesktop.DBus.Properties', [
      'Get',
      'org.freedesktop.Secret.Collection',
      'Locked',
    ]);
    // A variant: its signature ("b") with length and end, then a boolean at the next multiple of 4.
    return locked.toString('latin1', 0, 3) === '\u0001b\0' && locked.readUInt32LE(4) === 0
      ? 'unlocked'
      : 'locked';
  } catch {
    return isOver ? 'slow' : 'none';
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}
