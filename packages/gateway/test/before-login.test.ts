import { randomUUID } from 'node:crypto';
import { generateEd25519, toOpenSshPrivateKey } from '@postern/shared';
import { Client } from 'ssh2';
import { afterEach, expect, test } from 'vitest';
import { until } from './run.ts';
import { startWorld, type TestWorld } from './world.ts';

let world: TestWorld | undefined;
afterEach(() => world?.close());

interface Wire {
  readonly _handlers: Record<string, (...args: unknown[]) => void>;
  session(channel: number, window: number, packet: number): void;
  exec(channel: number, command: string, reply: boolean): void;
  directTcpip(channel: number, window: number, packet: number, to: object): void;
  tcpipForward(address: string, port: number, reply: boolean): void;
}

const ANSWERS = ['CHANNEL_OPEN_CONFIRMATION', 'CHANNEL_SUCCESS', 'REQUEST_SUCCESS'];

/** Everything that a session may be granted, asked for at once. */
function askForAll(client: Client, granted: string[]): void {
  const { _protocol: wire } = client as unknown as { _protocol: Wire };
  for (const answer of ANSWERS) wire._handlers[answer] = () => granted.push(answer);
  for (const answer of ['CHANNEL_OPEN_FAILURE', 'REQUEST_FAILURE'])
    wire._handlers[answer] = () => undefined;
  wire.session(0, 1 << 20, 1 << 15);
  wire.exec(0, 'echo leaked', true);
  const to = { srcIP: '127.0.0.1', srcPort: 1, dstIP: '127.0.0.1', dstPort: 22 };
  wire.directTcpip(1, 1 << 20, 1 << 15, to);
  wire.tcpipForward('127.0.0.1', 0, true);
}

test.each(['before it tries to log in', 'while its login is being decided'] as const)(
  'deny: channels and forwards of a client %s',
  async (when) => {
    world = await startWorld();
    const channels = ['shell', 'exec', 'sftp', 'local_forward', 'remote_forward'];
    const session = world.open({ channels });
    const isEarly = when === 'before it tries to log in';
    world.service.admitting = new Promise(() => {});
    const client = new Client();
    const granted: string[] = [];
    client.on('error', () => undefined);
    client.once('ready', () => granted.push('ready'));
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    const asked = new Promise<void>((resolve) => {
      const ask = (): void => {
        askForAll(client, granted);
        resolve();
      };
      if (isEarly) client.once('handshake', ask);
      else void until('asked', () => world?.service.admissions.length === 1).then(ask);
    });
    client.connect({
      host: '127.0.0.1',
      port: world.gateway.port,
      username: isEarly ? randomUUID() : session.id,
      privateKey: isEarly ? toOpenSshPrivateKey(generateEd25519().private) : session.privateKey,
      hostVerifier: () => true,
    });
    await asked;
    expect(world.service.admissions).toHaveLength(isEarly ? 0 : 1);
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 120))]);
    expect(granted).toEqual([]);
    expect(world.target.seen.commands).toEqual([]);
    client.destroy();
  },
);
