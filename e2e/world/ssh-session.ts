import type { KeyObject } from 'node:crypto';
import {
  type AccessMethod,
  type Answer,
  generateEd25519,
  parsePublicKey,
  signSessionProof,
  toOpenSshPrivateKey,
} from '@postern/shared';
import ssh2, { type Client } from 'ssh2';
import type { Person } from './people.ts';
import { type Reply, restOf } from './rest.ts';
import type { Service } from './service.ts';

type Opened = Answer<'openSession'>;

export interface OpenedByRest {
  readonly reply: Reply<Opened>;
  readonly key: KeyObject;
}

/** Opens a session with a fresh key, without our client: nonce, proof, POST. */
export async function openByRest(
  service: Service,
  person: Person,
  method: AccessMethod,
): Promise<OpenedByRest> {
  const rest = restOf(service, person.token);
  const { body } = await rest<Answer<'createSessionNonce'>>('POST', '/sessions/nonce');
  const pair = generateEd25519();
  const what = {
    server_id: method.server_id,
    identity: method.identity,
    access_credential: method.access_credential,
    public_key: pair.public_line,
    nonce: body.nonce,
  };
  const proof = signSessionProof(
    { ...what, team: service.team, user_id: body.user_id },
    pair.private,
  );
  const reply = await rest<Opened>('POST', '/sessions', { body: { ...what, proof } });
  return { reply, key: pair.private };
}

/** Connects to the gateway, accepting the host keys that the service named and no other. */
export function connectSsh({ reply, key }: OpenedByRest, port?: number): Promise<Client> {
  const { gateway } = reply.body;
  const pins = gateway.host_keys.map((line) => {
    const parsed = parsePublicKey(line);
    if (!parsed.ok) throw new Error(`not a key: ${line}`);
    return parsed.value.blob;
  });
  const client = new ssh2.Client();
  return new Promise((done, fail) => {
    client.on('ready', () => done(client));
    client.on('error', fail);
    client.on('close', () => fail(new Error('closed')));
    client.connect({
      host: gateway.host,
      port: port ?? gateway.port,
      username: gateway.username,
      privateKey: toOpenSshPrivateKey(key),
      authHandler: ['publickey'],
      readyTimeout: 60_000,
      hostVerifier: (blob: Buffer, verify: (ok: boolean) => void) =>
        verify(pins.some((pin) => pin.equals(blob))),
    });
  });
}

export interface SshRan {
  readonly code: number | null;
  readonly signal: string | undefined;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a command on a connection to its end. */
export function execSsh(client: Client, command: string): Promise<SshRan> {
  return new Promise((done, fail) => {
    client.exec(command, (error, channel) => {
      if (error) return fail(error);
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let ended: { code: number | null; signal?: string } = { code: null };
      channel.on('data', (data: Buffer) => stdout.push(data));
      channel.stderr.on('data', (data: Buffer) => stderr.push(data));
      channel.on('exit', (code: number | null, signal?: string) => {
        ended = signal === undefined ? { code } : { code, signal };
      });
      channel.on('close', () =>
        done({
          code: ended.code,
          signal: ended.signal,
          stdout: Buffer.concat(stdout),
          stderr: Buffer.concat(stderr).toString('utf8'),
        }),
      );
      channel.end();
    });
  });
}
