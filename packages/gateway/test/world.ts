import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Admitted, generateEd25519, toOpenSshPrivateKey } from '@postern/shared';
import { Client, type ConnectConfig } from 'ssh2';
import { type OpenSink, openFile } from '../src/appender.ts';
import { type Gateway, startGateway } from '../src/gateway.ts';
import { hostKeyFrom } from '../src/keys.ts';
import { LIMITS, type Limits } from '../src/limits.ts';
import { type Logger, silentLog } from '../src/log.ts';
import { castPath, eventsPath } from '../src/recording.ts';
import { FakeService } from './service.ts';
import { startTarget, type TargetOptions, type TestTarget } from './target.ts';

export interface TestSession {
  readonly id: string;
  /** OpenSSH private key. */
  readonly privateKey: string;
  readonly publicKey: string;
}

export interface TestWorld {
  readonly gateway: Gateway;
  readonly service: FakeService;
  readonly target: TestTarget;
  readonly recordings: string;
  readonly hostKeyLine: string;
  open(admitted?: AdmittedChanges): TestSession;
  /** A connected client of a fresh session. */
  connect(admitted?: AdmittedChanges): Promise<{ readonly client: Client; readonly id: string }>;
  login(session: TestSession, config?: Partial<ConnectConfig>): Promise<Client>;
  /** The gateway's clock is at once so much later. */
  pass(ms: number): void;
  /** Tears every client's connection down, without a goodbye. */
  dropClients(): void;
  cast(id: string): unknown[];
  events(id: string): Array<Record<string, unknown>>;
  close(): Promise<void>;
}

export interface AdmittedChanges extends Partial<Omit<Admitted, 'target'>> {
  readonly target?: Partial<Admitted['target']>;
}

export interface WorldOptions {
  readonly target?: TargetOptions;
  readonly limits?: Partial<Limits>;
  readonly openSink?: OpenSink;
  readonly log?: Logger;
  readonly listenHost?: string;
}

export async function startWorld(options: WorldOptions = {}): Promise<TestWorld> {
  const recordings = mkdtempSync(join(tmpdir(), 'postern-gateway-'));
  const target = await startTarget(options.target);
  const service = new FakeService();
  const hostKey = hostKeyFrom(generateEd25519().private);
  let startedAt = performance.now();
  const gateway = await startGateway(
    {
      service,
      log: options.log ?? silentLog(),
      limits: { ...LIMITS, ...options.limits },
      hostKey,
      recordingDirectory: recordings,
      openSink: options.openSink ?? openFile,
      monotonic: () => performance.now() - startedAt,
      now: () => Date.now(),
    },
    { host: options.listenHost ?? '127.0.0.1', port: 0 },
  );
  const clients = new Set<Client>();

  const open = (changes: AdmittedChanges = {}): TestSession => {
    const pair = generateEd25519();
    const id = changes.session_id ?? randomUUID();
    service.open(pair.public_line, {
      session_id: id,
      user_name: 'ana',
      server_name: 'opa-demo-linux',
      identity: 'pamadmin1',
      request_id: null,
      channels: ['shell', 'exec', 'sftp'],
      recorded: true,
      seconds_left: 3600,
      ...changes,
      target: {
        host: '127.0.0.1',
        port: target.port,
        host_keys: [target.hostKeyLine],
        username: 'pamadmin1',
        allow_local_address: true,
        credential: { type: 'password', password: 'vault-secret' },
        ...changes.target,
      },
    });
    return { id, privateKey: toOpenSshPrivateKey(pair.private), publicKey: pair.public_line };
  };

  const login = (session: TestSession, config: Partial<ConnectConfig> = {}): Promise<Client> => {
    const client = new Client();
    clients.add(client);
    return new Promise<Client>((resolve, reject) => {
      const banners: string[] = [];
      client.on('banner', (text) => banners.push(text.trim()));
      client.once('ready', () => resolve(client));
      client.once('close', () => reject(new Error(`closed: ${banners.join(' ')}`)));
      client.on('error', (error) => reject(new Error(`${error.message}: ${banners.join(' ')}`)));
      client.connect({
        host: '127.0.0.1',
        port: gateway.port,
        username: session.id,
        privateKey: session.privateKey,
        hostVerifier: (key: Buffer, done: (ok: boolean) => void) => done(key.equals(hostKey.blob)),
        ...config,
      });
    });
  };

  return {
    gateway,
    service,
    target,
    recordings,
    hostKeyLine: hostKey.line,
    open,
    login,
    connect: async (changes) => {
      const session = open(changes);
      return { client: await login(session), id: session.id };
    },
    pass: (ms) => {
      startedAt -= ms;
    },
    dropClients: () => {
      for (const client of clients) client.destroy();
    },
    cast: (id) => linesOf(castPath(recordings, id)),
    events: (id) => linesOf(eventsPath(recordings, id)) as Array<Record<string, unknown>>,
    close: async () => {
      for (const client of clients) client.destroy();
      await gateway.stop();
      await target.close();
      rmSync(recordings, { recursive: true, force: true });
    },
  };
}

function linesOf(path: string): unknown[] {
  const text = readFileSync(path, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}
