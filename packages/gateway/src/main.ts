// The gateway's process. Two ways to start it:
//
// 1. As a child of `posternd serve`, without arguments:
//      node --permission --allow-addons --allow-fs-read=… --allow-fs-write=RECORDING_DIR main.ts
//    Reading needs packages/gateway, packages/shared, node_modules, the root's package.json,
//    the recording directory and the CA file; writing only the recording directory.
//    Environment, and nothing else of it is read:
//      POSTERN_GATEWAY_API            http(s)://host:port of the service; http on loopback only
//      POSTERN_GATEWAY_TEAM
//      POSTERN_GATEWAY_LISTEN_HOST    default 127.0.0.1
//      POSTERN_GATEWAY_LISTEN_PORT    default 2022; 0 takes a free one
//      POSTERN_GATEWAY_RECORDING_DIR  must exist
//      POSTERN_GATEWAY_LOG_LEVEL      default info
//      POSTERN_GATEWAY_CA_FILE        PEM, besides Node's own authorities
//    Descriptor 3 is a pipe or socket to the parent. The gateway makes its keys in memory,
//    listens, writes one ChildHello line and reads one ChildWelcome line. When the pipe
//    closes, the parent is gone: it ends its sessions and exits.
//
// 2. Alone, `posternd gateway --data-dir DIR --service URL --team NAME [--code CODE] …`: the
//    same settings as flags or variables, and its keys are files. See docs/guides/gateway.md.
//
// Both: JSON lines on stderr. SIGTERM, SIGINT or SIGHUP ends the sessions, tells the service
// and exits 0 within 5 s. Exit codes: 64 flags, 78 settings, 69 service, 70 a bug.
import { mkdirSync } from 'node:fs';
import { EXIT, generateEd25519, publicKeyOf } from '@postern/shared';
import { inspectAddon } from './addon.ts';
import { openFile } from './appender.ts';
import { type Alone, type Config, ConfigError, readConfig } from './config.ts';
import { loadIdentity } from './enrol.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { hostKeyFrom } from './keys.ts';
import { LIMITS } from './limits.ts';
import { type Logger, openLog } from './log.ts';
import { openParent } from './parent.ts';
import { createServiceClient, enrol } from './service-client.ts';
import { lateService } from './service-late.ts';
import { ServiceRefusal, ServiceUnavailable } from './service-port.ts';

const STOP_MS = 4_500;

async function main(): Promise<void> {
  const config = readConfig(process.argv.slice(2), process.env);
  // The one-time code has been read; nothing started from here shall find it.
  delete process.env.POSTERN_GATEWAY_CODE;
  const log = openLog(config.logLevel);
  // A fault in one connection must not end the others: it is told, and they go on.
  process.on('uncaughtException', (error) => log.error({ err: error }, 'uncaught'));
  process.on('unhandledRejection', (error) => log.error({ err: error }, 'unhandled'));
  const addon = inspectAddon();
  if (addon === 'aborts') log.error('the native addon of ssh2 can abort this process: rebuild it');
  else if (addon === 'missing') log.warn('ssh2 has no native addon: throughput is a tenth');
  await (config.alone === undefined
    ? runAsChild(config, log)
    : runAlone(config, config.alone, log));
}

async function runAlone(config: Config, alone: Alone, log: Logger): Promise<void> {
  const identity = await loadIdentity(alone, (body) => enrol(config, body));
  mkdirSync(config.recordingDirectory, { recursive: true, mode: 0o700 });
  const service = createServiceClient({
    ...config,
    gatewayId: identity.gatewayId,
    key: identity.callKey,
    hostKeys: [publicKeyOf(identity.hostKey).line],
    now: Date.now,
  });
  const hostKey = hostKeyFrom(identity.hostKey);
  const gateway = await startGateway({ ...worldOf(config, log), service, hostKey }, config);
  log.info({ gateway_id: identity.gatewayId, port: gateway.port }, 'gateway listens');
  stopOnSignals(gateway, log);
}

async function runAsChild(config: Config, log: Logger): Promise<void> {
  const parent = openParent();
  const call = generateEd25519();
  const host = generateEd25519();
  const service = lateService();
  const hostKey = hostKeyFrom(host.private);
  const gateway = await startGateway({ ...worldOf(config, log), service, hostKey }, config);
  const stop = stopOnSignals(gateway, log);
  parent.onGone(() => {
    log.warn('the parent is gone');
    stop();
  });
  const gatewayId = await parent.introduce({
    public_key: call.public_line,
    host_keys: [host.public_line],
    port: gateway.port,
  });
  const identity = { gatewayId, key: call.private, hostKeys: [host.public_line] };
  service.become(createServiceClient({ ...config, ...identity, now: Date.now }));
  log.info({ gateway_id: gatewayId, port: gateway.port }, 'gateway listens');
}

const worldOf = (config: Config, log: Logger) => ({
  log,
  limits: LIMITS,
  recordingDirectory: config.recordingDirectory,
  openSink: openFile,
  monotonic: () => performance.now(),
  now: Date.now,
});

/** Ends every session, tells the service, and exits; at the latest after 4.5 s. */
function stopOnSignals(gateway: Gateway, log: Logger): () => void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(0), STOP_MS).unref();
    void gateway.stop().finally(() => process.exit(0));
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      stop();
    });
  return stop;
}

main().catch((error: unknown) => {
  process.stderr.write(`posternd gateway: ${textOf(error)}\n`);
  process.exit(exitOf(error));
});

function textOf(error: unknown): string {
  if (!isListening(error)) return error instanceof Error ? error.message : String(error);
  const { code, address, port } = error;
  return `cannot listen on ${address}:${port} (${code}).\nSet a free port (POSTERN_GATEWAY_PORT of \`posternd serve\`, --listen-port of \`posternd gateway\`), or end what listens there.`;
}

interface ListenError {
  readonly syscall: 'listen';
  readonly code: string;
  readonly address: string;
  readonly port: number;
}

const isListening = (error: unknown): error is ListenError =>
  (error as { syscall?: string }).syscall === 'listen';

function exitOf(error: unknown): number {
  if (error instanceof ConfigError) return EXIT[error.exit];
  if (error instanceof ServiceUnavailable) return EXIT.unavailable;
  if (error instanceof ServiceRefusal) return EXIT.refused;
  const { code } = error as { code?: string };
  return code === 'EADDRINUSE' || code === 'EACCES' ? EXIT.config : EXIT.bug;
}
