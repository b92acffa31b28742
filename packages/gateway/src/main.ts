// The gateway's process.
//
// As the service's child: started as `node --permission … main.ts` with the environment
// POSTERN_GATEWAY_{API,TEAM,LISTEN_HOST,LISTEN_PORT,RECORDING_DIR,LOG_LEVEL,CA_FILE} and a
// pipe on descriptor 3. It makes its keys in memory, listens, writes one ChildHello line to
// the pipe and reads one ChildWelcome line. When the pipe closes it ends its sessions and
// exits.
//
// Alone: `posternd gateway --data-dir DIR [--code CODE] [--public-host HOST]` with the same
// environment; its keys are files.
import { mkdirSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { EXIT, generateEd25519, publicKeyOf } from '@postern/shared';
import { inspectAddon } from './addon.ts';
import { openFile } from './appender.ts';
import { type Config, ConfigError, readConfig } from './config.ts';
import { loadIdentity } from './enrol.ts';
import { type Gateway, startGateway } from './gateway.ts';
import { hostKeyFrom } from './keys.ts';
import { LIMITS } from './limits.ts';
import { type Logger, openLog } from './log.ts';
import { openParent } from './parent.ts';
import { createServiceClient } from './service-client.ts';
import { lateService } from './service-late.ts';

const STOP_MS = 5_000;

async function main(argv: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      'data-dir': { type: 'string' },
      code: { type: 'string' },
      'public-host': { type: 'string' },
    },
  });
  const config = readConfig(process.env);
  const log = openLog(config.logLevel);
  log.info({ addon: inspectAddon() }, 'starting');
  const directory = values['data-dir'];
  if (directory === undefined) return runAsChild(config, log);
  const identity = await loadIdentity(config, {
    directory,
    code: values.code,
    publicHost: values['public-host'] ?? config.host,
    publicPort: config.port,
  });
  mkdirSync(config.recordingDirectory, { recursive: true, mode: 0o700 });
  const client = createServiceClient({
    ...config,
    gatewayId: identity.gatewayId,
    key: identity.callKey,
    hostKeys: [publicKeyOf(identity.hostKey).line],
    now: Date.now,
  });
  const gateway = await startGateway(
    { ...worldOf(config, log), service: client, hostKey: hostKeyFrom(identity.hostKey) },
    config,
  );
  log.info({ port: gateway.port }, 'gateway listens');
  stopOnSignals(gateway, log);
}

async function runAsChild(config: Config, log: Logger): Promise<void> {
  const parent = openParent();
  const call = generateEd25519();
  const host = generateEd25519();
  const service = lateService();
  const gateway = await startGateway(
    { ...worldOf(config, log), service, hostKey: hostKeyFrom(host.private) },
    config,
  );
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
  service.become(
    createServiceClient({
      ...config,
      gatewayId,
      key: call.private,
      hostKeys: [host.public_line],
      now: Date.now,
    }),
  );
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

/** Ends every session, tells the service, and exits; at the latest after 5 s. */
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

// One connection's fault must not end the others: told, and gone on.
process.on('uncaughtException', (error) => openLog('error').error({ err: error }, 'uncaught'));
process.on('unhandledRejection', (error) => openLog('error').error({ err: error }, 'unhandled'));

main(process.argv.slice(2)).catch((error: unknown) => {
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`posternd gateway: ${text}\n`);
  process.exit(error instanceof ConfigError ? EXIT.config : EXIT.bug);
});
