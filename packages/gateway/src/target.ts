import type { Socket } from 'node:net';
import { type Admitted, type EndReason, fingerprintOf, parsePublicKey } from '@postern/shared';
import type { ConnectConfig, Client as SshClient } from 'ssh2';
import type { Listener } from './address.ts';
import { targetAlgorithms } from './algorithms.ts';
import { DialRefused, dial } from './dial.ts';
import type { Limits } from './limits.ts';
import { Client } from './ssh2.ts';

/** Why a target could not be used, for the session's record and for its person. */
export class TargetFailure extends Error {
  readonly reason: Extract<
    EndReason,
    'target_unreachable' | 'host_key_mismatch' | 'target_auth_failed'
  >;
  /** What to do next: a second line for the person. */
  readonly next: string;
  constructor(reason: TargetFailure['reason'], message: string, next: string) {
    super(message);
    this.name = 'TargetFailure';
    this.reason = reason;
    this.next = next;
  }
}

export interface Target {
  readonly client: SshClient;
  readonly socket: Socket;
}

export interface TargetWorld {
  readonly limits: Limits;
  readonly listener: Listener;
  /** The gateway's own host key: a target that shows it is the gateway. */
  readonly ownHostKey: Buffer;
  readonly abort: AbortSignal;
}

/**
 * An authenticated SSH connection to the admitted session's target. Only a pinned host key
 * is accepted, before any credential is sent.
 * @throws TargetFailure, nothing else.
 */
export async function connectTarget(admitted: Admitted, world: TargetWorld): Promise<Target> {
  const { target, server_name: name } = admitted;
  const pinned = pinnedKeys(target.host_keys);
  if (pinned.some((key) => key.blob.equals(world.ownHostKey))) throw isTheGateway(name);
  const socket = await reach(admitted, world);
  if (world.abort.aborted) {
    socket.destroy();
    throw new TargetFailure('target_unreachable', 'the session has ended', '');
  }
  const client = new Client();
  let refusal: TargetFailure | undefined;
  const config: ConnectConfig = {
    sock: socket,
    username: target.username,
    ...credentialOf(admitted),
    algorithms: targetAlgorithms(new Set(pinned.map((key) => key.type))),
    ident: 'Postern',
    readyTimeout: world.limits.connectMs,
    keepaliveInterval: world.limits.keepaliveMs,
    keepaliveCountMax: world.limits.keepaliveCount,
    // ssh2 takes anything but an explicit `false` for a yes: only this callback, only a boolean.
    hostVerifier: (shown: Buffer, verdict: (trusted: boolean) => void): void => {
      if (shown.equals(world.ownHostKey)) refusal = isTheGateway(name);
      else if (!pinned.some((key) => key.blob.equals(shown))) refusal = mismatch(name, shown);
      verdict(refusal === undefined);
    },
  };
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => {
      socket.destroy();
      reject(refusal ?? failureOf(error, admitted));
    };
    // Ended meanwhile: whatever was under way is not finished.
    world.abort.addEventListener('abort', () => {
      client.end();
      socket.destroy();
    });
    client.once('ready', resolve);
    client.on('error', fail);
    client.once('close', () => fail(new Error('the connection was closed')));
    client.on('keyboard-interactive', (_name, _text, _lang, prompts, answer) => {
      const { credential } = target;
      const asksPassword = prompts.length === 1 && prompts[0]?.echo === false;
      answer(credential.type === 'password' && asksPassword ? [credential.password] : []);
    });
    try {
      client.connect(config);
    } catch (error) {
      fail(error as Error);
    }
  });
  return { client, socket };
}

async function reach(admitted: Admitted, world: TargetWorld): Promise<Socket> {
  const { target, server_name: name } = admitted;
  try {
    return await dial({
      host: target.host,
      port: target.port,
      allowLocalAddress: target.allow_local_address,
      timeoutMs: world.limits.connectMs,
      listener: world.listener,
    });
  } catch (error) {
    if (error instanceof DialRefused && error.why === 'own_listener') throw isTheGateway(name);
    if (error instanceof DialRefused)
      throw new TargetFailure(
        'target_unreachable',
        `${name} is at a loopback or link-local address (${target.host}), and its record does not allow that`,
        'An admin can allow it in the server record: allow_local_address.',
      );
    throw unreachable(admitted, why(error));
  }
}

function credentialOf({ target }: Admitted): Partial<ConnectConfig> {
  const { credential } = target;
  if (credential.type === 'private_key') return { privateKey: credential.private_key };
  return { password: credential.password, tryKeyboard: true };
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

function mismatch(name: string, shown: Buffer): TargetFailure {
  return new TargetFailure(
    'host_key_mismatch',
    `the host key of ${name} is not the one on record: it shows ${typeOf(shown)} ${fingerprintOf(shown)}`,
    `If that is right, an admin records it: sft-admin servers trust ${name}`,
  );
}

function isTheGateway(name: string): TargetFailure {
  return new TargetFailure(
    'target_unreachable',
    `the record of ${name} points at the gateway itself`,
    'An admin corrects the address, the port and the host key of the server record.',
  );
}

function unreachable(admitted: Admitted, reason: string): TargetFailure {
  const { server_name: name, target } = admitted;
  return new TargetFailure(
    'target_unreachable',
    `cannot reach ${name} at ${target.host}:${target.port}: ${reason}`,
    'Check that its sshd runs and that the gateway may reach it.',
  );
}

function failureOf(error: Error & { level?: string }, admitted: Admitted): TargetFailure {
  if (error.level !== 'client-authentication' && !/privateKey/.test(error.message))
    return unreachable(admitted, why(error));
  const { server_name: name, target } = admitted;
  return new TargetFailure(
    'target_auth_failed',
    `${name} did not accept the credential on record for ${target.username}`,
    `An admin enters it again: sft-admin accounts set ${name} ${target.username}`,
  );
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOTFOUND: 'the name does not exist',
  EAI_AGAIN: 'the name cannot be resolved now',
  ETIMEDOUT: 'no answer',
};

/** ssh2's and the system's texts, none of which holds a credential. */
function why(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  if (error instanceof AggregateError && error.errors.length > 0) return why(error.errors[0]);
  return REASONS[code ?? ''] ?? (message || 'no connection');
}

/** The name in front of a key: RFC 4253 §6.6. */
function typeOf(blob: Buffer): string {
  const length = blob.length >= 4 ? blob.readUInt32BE(0) : 0;
  return /^[a-z0-9@.-]{1,64}$/.exec(blob.subarray(4, 4 + length).toString('latin1'))?.[0] ?? 'key';
}
