import { timingSafeEqual } from 'node:crypto';
import { fingerprintOf, parsePublicKey, printable } from '@postern/shared';
import type { Algorithms, Client as SshClient } from 'ssh2';
import { interrupted } from '../failure.ts';
import type { Console } from '../streams.ts';
import type { GatewayTarget, SshEnd } from './port.ts';
import { Client } from './ssh2.ts';

export interface Connection {
  readonly client: SshClient;
  /** Resolves when the connection has ended, with why if anything is known. */
  readonly lost: Promise<string | undefined>;
}

// The fastest of the strong ciphers first: three times the throughput of the next.
const CIPHERS = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes256-ctr'];
const READY_MS = 30_000;
/** How the gateway says, in a banner (RFC 4252 §5.4), why it will not admit a session. */
const REFUSED = 'sft: ';

/**
 * Connects to the gateway, accepting the host keys that the service named and no other.
 * @throws Failure 130 on Ctrl-C.
 */
export function connect(
  target: GatewayTarget,
  world: Console,
): Promise<Connection | { readonly end: SshEnd }> {
  const pins = target.host_keys.flatMap((line) => {
    const key = parsePublicKey(line);
    return key.ok ? [key.value] : [];
  });
  const where = `${target.host}:${target.port}`;
  const client = new Client();
  const lost = Promise.withResolvers<string | undefined>();
  let why: string | undefined;
  let shown: string | undefined;
  // ssh2 takes a verifier's promise, null or 0 for a yes; what the callback gets is a boolean.
  const hostVerifier = (blob: Buffer, verify: (ok: boolean) => void): void => {
    const known = pins.some((pin) => same(pin.blob, blob));
    if (!known) shown = fingerprintOf(blob);
    verify(known);
  };
  const told: string[] = [];
  client.on('banner', (text) => {
    const lines = text.trimEnd().split(/\r?\n/);
    told.push(...lines.filter((line) => line.startsWith(REFUSED)));
    for (const line of lines)
      if (!line.startsWith(REFUSED)) world.stderr.write(`${printable(line)}\n`);
  });
  client.on('error', (error) => {
    why ??= told[0]?.slice(REFUSED.length) ?? whyOf(error, where);
  });
  client.on('close', () => lost.resolve(why));
  return new Promise((resolve, reject) => {
    const onInterrupt = () => {
      client.destroy();
      reject(interrupted());
    };
    world.interrupt.addEventListener('abort', onInterrupt, { once: true });
    const settle = (value: Connection | { readonly end: SshEnd }) => {
      world.interrupt.removeEventListener('abort', onInterrupt);
      resolve(value);
    };
    client.once('ready', () => settle({ client, lost: lost.promise }));
    lost.promise.then((reason) => {
      const end: SshEnd =
        shown === undefined
          ? { kind: 'lost', why: reason ?? `The gateway at ${where} closed the connection.` }
          : { kind: 'host_key_mismatch', fingerprint: shown };
      settle({ end });
    });
    client.connect({
      host: target.host,
      port: target.port,
      username: target.username,
      privateKey: target.private_key,
      authHandler: ['publickey'],
      hostVerifier,
      algorithms: algorithmsFor(pins.map((pin) => pin.type)),
      readyTimeout: READY_MS,
      keepaliveInterval: 15_000,
      keepaliveCountMax: 3,
    });
  });
}

function algorithmsFor(keyTypes: readonly string[]): Algorithms {
  const hostKeys = keyTypes.flatMap((type) =>
    type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type],
  );
  return {
    cipher: CIPHERS,
    compress: ['none'],
    // Without a pin there is nothing to accept; the verifier refuses whatever is shown.
    ...(hostKeys.length > 0 && { serverHostKey: [...new Set(hostKeys)] }),
  } as Algorithms;
}

const same = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

interface SshError extends Error {
  readonly level?: string;
  readonly code?: string | number;
}

/** What an error of the connection says to a person. */
function whyOf({ level, code, message }: SshError, where: string): string {
  if (level === 'client-authentication') return 'The gateway did not admit the session.';
  if (level === 'client-timeout') return `Nothing comes back from the gateway at ${where}.`;
  // A disconnect message (RFC 4253 §11.1): the gateway's own words.
  if (typeof code === 'number') return message;
  if (level === 'client-socket')
    return `The gateway at ${where} cannot be reached (${code ?? message}).`;
  return `The connection to the gateway failed: ${message}`;
}
