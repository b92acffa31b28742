import { plus, type Seconds, seconds } from '@postern/shared';
import { networkOf } from '../platform/networks.ts';
import type { Tx } from '../platform/tx.ts';
import { hashOfCookie } from './cookie.ts';
import {
  dropForgotten,
  dropUnseenClients,
  forgetCount,
  knownClients,
  lockCounts,
  rememberClients,
  saveCount,
  takeBackOne,
} from './store-attempts.ts';
import { type Counter, counted, countersOf, waitOf } from './throttle.ts';

/** For so long a client that logged in is one that logged in before. */
const KNOWN_FOR = seconds(90 * 86_400);
const REMOVED = 50;
/** Of whom nobody has ever logged in: asked for, so that an unknown login costs the same. */
const NOBODY = '00000000-0000-0000-0000-000000000000';

/** From where an attempt comes. */
export interface Comer {
  readonly address: string;
  /** The device's cookie, as it was sent; null: none was. */
  readonly device: string | null;
}

const deviceOf = (device: string): string => hashOfCookie('device', device);
const addressOf = (address: string): string => `address ${networkOf(address)}`;

/** An attempt that may be made, and where it was counted. */
export type Counted =
  | { readonly ok: true; readonly counters: readonly Counter[] }
  | { readonly ok: false; readonly wait: Seconds };

/**
 * Counts an attempt before it is made, so that many at once are no more than one after the
 * other. One that has to wait is not made, and not counted.
 */
export async function countAttempt(
  tx: Tx,
  what: 'password' | 'code',
  account: { readonly login: string; readonly user_id: string | undefined },
  { address, device }: Comer,
): Promise<Counted> {
  const clients = [addressOf(address), ...(device === null ? [] : [deviceOf(device)])];
  const since = plus(tx.now, seconds(-KNOWN_FOR));
  const known = await knownClients(tx.sql, account.user_id ?? NOBODY, clients, since);
  const isKnown = device !== null && known.includes(deviceOf(device));
  const counters = countersOf({
    what,
    account: account.login,
    address,
    known_device: isKnown ? deviceOf(device) : undefined,
    known_address: known.includes(addressOf(address)),
  });
  await dropForgotten(tx.sql, plus(tx.now, seconds(-60)), REMOVED);
  const keys = counters.map(({ key }) => key);
  const counts = new Map((await lockCounts(tx.sql, keys, tx.now)).map((row) => [row.key, row]));
  const before = (key: string) => counts.get(key) ?? NOTHING;
  const wait = Math.max(...keys.map((key) => waitOf(before(key), tx.now)));
  if (wait > 0) return { ok: false, wait: seconds(wait) };
  for (const { key, pace } of counters)
    await saveCount(tx.sql, { key, ...counted(before(key), pace, tx.now) });
  return { ok: true, counters };
}

const NOTHING = { count: 0, next_at: 0 as never, forget_at: 0 as never };

/** The attempt was right: it does not count, and the person's own that were wrong neither. */
export async function forgiveAttempt(tx: Tx, counters: readonly Counter[]): Promise<void> {
  for (const { key, own } of counters)
    await (own ? forgetCount(tx.sql, key) : takeBackOne(tx.sql, key));
}

/** From here the person has logged in. */
export async function rememberClient(
  tx: Tx,
  userId: string,
  { address, device }: { readonly address: string; readonly device: string },
): Promise<void> {
  await dropUnseenClients(tx.sql, userId, plus(tx.now, seconds(-KNOWN_FOR)));
  await rememberClients(tx.sql, userId, [addressOf(address), deviceOf(device)], tx.now);
}
