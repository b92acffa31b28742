import type { Socket } from 'node:net';
import { parsePublicKey, type TargetAddress } from '@postern/shared';
import type { AnyAuthMethod, ConnectConfig, NextAuthHandler, Client as SshClient } from 'ssh2';
import type { Listener } from './address.ts';
import { targetAlgorithms } from './algorithms.ts';
import { DialRefused, dial } from './dial.ts';
import type { Limits } from './limits.ts';
import { Client } from './ssh2.ts';
import { isLocal, isTheGateway, mismatch, TargetFailure, unreachable } from './target-failure.ts';

export interface ReachWorld {
  readonly limits: Pick<Limits, 'connectMs' | 'keepaliveMs' | 'keepaliveCount'>;
  /** For the connection, and again for the exchange of keys; a login has `connectMs`. */
  readonly reachMs: number;
  readonly listener: Listener;
  /** The gateway's own host key: a target that shows it is the gateway. */
  readonly ownHostKey: Buffer;
  readonly abort: AbortSignal;
}

/**
 * A connection to a target that has shown a pinned host key. No authentication request has
 * been sent on it (RFC 4252 §5), not even `none`.
 */
export interface Reached {
  readonly socket: Socket;
  /**
   * Tries the methods in their order, once.
   * @throws ssh2's error, of level `client-authentication` when the target refuses them all;
   * code `ETIMEDOUT` when it does not answer in time.
   */
  login(methods: readonly AnyAuthMethod[]): Promise<SshClient>;
  close(): void;
}

/**
 * Connects to an address that the rules allow, and exchanges keys. Only a pinned host key is
 * accepted.
 * @param name what the target is called in a failure.
 * @throws TargetFailure, nothing else.
 */
export async function reachTarget(
  name: string,
  address: TargetAddress,
  world: ReachWorld,
): Promise<Reached> {
  const pinned = pinnedKeys(address.host_keys);
  if (pinned.some((key) => key.blob.equals(world.ownHostKey))) throw isTheGateway(name);
  const socket = await open(name, address, world);
  if (world.abort.aborted) {
    socket.destroy();
    throw new TargetFailure('target_unreachable', 'the session has ended', '');
  }
  const { connectMs, keepaliveMs, keepaliveCount } = world.limits;
  const client = new Client();
  const atTheDoor = Promise.withResolvers<NextAuthHandler>();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  const fail = (error: Error): void => {
    socket.destroy();
    broken.reject(error);
  };
  const within = async <T>(ms: number, promise: Promise<T>): Promise<T> => {
    const timer = setTimeout(() => fail(timedOut()), ms);
    try {
      return await Promise.race([promise, broken.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
  let refusal: TargetFailure | undefined;
  let untried: AnyAuthMethod[] | undefined;
  const config: ConnectConfig = {
    sock: socket,
    // Each method names its own.
    username: '',
    algorithms: targetAlgorithms(new Set(pinned.map((key) => key.type))),
    ident: 'Postern',
    readyTimeout: 0,
    keepaliveInterval: keepaliveMs,
    keepaliveCountMax: keepaliveCount,
    // ssh2 takes anything but an explicit `false` for a yes: only this callback, only a boolean.
    hostVerifier: (shown: Buffer, verdict: (trusted: boolean) => void): void => {
      if (shown.equals(world.ownHostKey)) refusal = isTheGateway(name);
      else if (!pinned.some((key) => key.blob.equals(shown))) refusal = mismatch(name, shown);
      verdict(refusal === undefined);
    },
    // Called when the target is ready to be asked; ssh2 waits for what is answered.
    authHandler: (_methods, _partial, next) => {
      if (untried !== undefined) return untried.shift() ?? false;
      atTheDoor.resolve(next);
      return undefined;
    },
  };
  client.on('error', fail);
  client.once('close', () => fail(new Error('the connection was closed')));
  const close = (): void => {
    client.end();
    socket.destroy();
  };
  world.abort.addEventListener('abort', close);
  try {
    client.connect(config);
    const next = await within(world.reachMs, atTheDoor.promise);
    return {
      socket,
      close,
      login: async ([first, ...others]) => {
        const ready = new Promise<SshClient>((resolve) =>
          client.once('ready', () => resolve(client)),
        );
        if (untried !== undefined || first === undefined) throw new Error('nothing to log in with');
        untried = others;
        next(first);
        return within(connectMs, ready);
      },
    };
  } catch (error) {
    socket.destroy();
    throw refusal ?? unreachable(name, address, error);
  }
}

async function open(name: string, address: TargetAddress, world: ReachWorld): Promise<Socket> {
  try {
    return await dial({
      host: address.host,
      port: address.port,
      allowLocalAddress: address.allow_local_address,
      timeoutMs: world.reachMs,
      listener: world.listener,
    });
  } catch (error) {
    if (!(error instanceof DialRefused)) throw unreachable(name, address, error);
    throw error.why === 'own_listener' ? isTheGateway(name) : isLocal(name, address);
  }
}

interface PinnedKey {
  readonly type: string;
  readonly blob: Buffer;
}

/** A line that does not parse pins nothing. */
function pinnedKeys(lines: readonly string[]): PinnedKey[] {
  return lines.flatMap((line) => {
    const key = parsePublicKey(line);
    return key.ok ? [{ type: key.value.type, blob: key.value.blob }] : [];
  });
}

const timedOut = (): Error => Object.assign(new Error('timed out'), { code: 'ETIMEDOUT' });
