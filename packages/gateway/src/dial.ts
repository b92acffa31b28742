import { type LookupAddress, lookup } from 'node:dns';
import { connect, isIP, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { isLocalAddress, isOwnListener, type Listener } from './address.ts';

export interface Dial {
  readonly host: string;
  readonly port: number;
  readonly allowLocalAddress: boolean;
  readonly timeoutMs: number;
  readonly listener: Listener;
}

/** Refused by a rule of the gateway, not by the network. */
export class DialRefused extends Error {
  readonly why: 'own_listener' | 'local_address';
  constructor(why: 'own_listener' | 'local_address') {
    super(why);
    this.why = why;
  }
}

/**
 * A TCP connection to an address that passed the rules: the address that was checked is the
 * one that is connected to, so that a name cannot change its mind in between.
 * @throws DialRefused, or the system's error; `ETIMEDOUT` after `timeoutMs`, names included.
 */
export async function dial(to: Dial): Promise<Socket> {
  if (isIP(to.host) !== 0) assertAllowed(to, to.host);
  const socket = connect({
    host: to.host,
    port: to.port,
    noDelay: true,
    autoSelectFamily: true,
    lookup: (host, _options, done) => {
      lookup(host, { all: true }, (error, found) => {
        if (error !== null) return done(error, []);
        try {
          done(null, allowed(to, found));
        } catch (refused) {
          done(refused as Error, []);
        }
      });
    },
  });
  try {
    await connected(socket, to.timeoutMs);
    assertAllowed(to, socket.remoteAddress ?? '');
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** @throws the first refusal when nothing is left. */
function allowed(to: Dial, found: readonly LookupAddress[]): LookupAddress[] {
  const refusals: unknown[] = [];
  const left = found.filter(({ address }) => {
    try {
      assertAllowed(to, address);
      return true;
    } catch (refused) {
      refusals.push(refused);
      return false;
    }
  });
  if (left.length === 0) throw refusals[0] ?? Object.assign(new Error(), { code: 'ENOTFOUND' });
  return left;
}

function assertAllowed(to: Dial, address: string): void {
  if (isOwnListener(address, to.port, to.listener, ownAddresses()))
    throw new DialRefused('own_listener');
  if (isLocalAddress(address) && !to.allowLocalAddress) throw new DialRefused('local_address');
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map((i) => i.address));
}

async function connected(socket: Socket, timeoutMs: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' })),
      timeoutMs,
    );
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
}
