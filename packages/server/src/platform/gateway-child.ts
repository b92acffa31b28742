import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { ChildHello } from '@postern/shared';
import type { Static } from 'typebox';
import { Value } from 'typebox/value';

export interface ChildSettings {
  /** Where the child reaches the service. */
  readonly apiUrl: string;
  readonly team: string;
  /** Where the child listens. */
  readonly host: string;
  readonly port: number;
  readonly recordingDir: string;
  readonly logLevel: string;
  readonly caFile: string | undefined;
  readonly program: GatewayProgram;
}

export interface GatewayProgram {
  /** The file that Node is given. */
  readonly main: string;
  /** What it is made of. */
  readonly readable: readonly string[];
}

interface World {
  readonly settings: ChildSettings;
  /** Makes the child known to the service. @returns its id */
  readonly enrol: (hello: Static<typeof ChildHello>) => Promise<string>;
  /** An enrolled child is gone, with its key and every connection. */
  readonly ended: (gatewayId: string) => Promise<void>;
  readonly log: {
    info(facts: object, line: string): void;
    error(facts: object, line: string): void;
  };
}

export interface GatewayChild {
  /** undefined: it runs and is enrolled. */
  problem(): string | undefined;
  stop(): Promise<void>;
}

const RESTART_MS = [200, 500, 1_000, 2_000, 5_000];
const STOP_MS = 8_000;

/**
 * Runs the gateway as a process of its own, so that an SSH fault cannot take the service
 * down: an environment that names only what it needs, Node's permission model with its own
 * sources and the recording directory, and no descriptor but the pipe over which it is
 * enrolled (fd 3). When that pipe closes the child ends, so it never outlives us. One that
 * ends is started again.
 */
export function startGatewayChild({ settings, enrol, ended, log }: World): GatewayChild {
  mkdirSync(settings.recordingDir, { recursive: true, mode: 0o700 });
  let child: ChildProcess | undefined;
  let stopping = false;
  let problem: string | undefined = 'the gateway is starting';
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;

  const start = (): void => {
    const started = Date.now();
    let enrolled: string | undefined;
    child = spawnChild(settings);
    const pipe = child.stdio[3] as Duplex;
    pipe.on('error', () => undefined);
    createInterface({ input: pipe }).once('line', (line) => {
      void Promise.resolve(line)
        .then((text) => enrolFrom(text, enrol))
        .then((gatewayId) => {
          problem = undefined;
          enrolled = gatewayId;
          pipe.write(`${JSON.stringify({ gateway_id: gatewayId })}\n`);
          log.info({ gateway_id: gatewayId }, 'gateway enrolled');
        })
        .catch((error: unknown) => {
          problem = 'the gateway could not be enrolled';
          log.error({ err: error }, problem);
          child?.kill('SIGTERM');
        });
    });
    child.on('error', (error) => log.error({ err: error }, 'gateway could not be started'));
    child.once('exit', (code, signal) => {
      if (stopping) return;
      problem = 'the gateway has ended and is started again';
      log.error({ code, signal }, problem);
      if (enrolled !== undefined)
        ended(enrolled).catch((error) =>
          log.error({ err: error }, 'the end of the gateway could not be recorded'),
        );
      failures = Date.now() - started > 60_000 ? 0 : failures + 1;
      timer = setTimeout(start, RESTART_MS[Math.min(failures, RESTART_MS.length - 1)]);
    });
  };
  start();

  return {
    problem: () => problem,
    stop: async () => {
      stopping = true;
      clearTimeout(timer);
      const ending = child;
      if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
      await new Promise<void>((done) => {
        const late = setTimeout(() => ending.kill('SIGKILL'), STOP_MS);
        ending.once('exit', () => {
          clearTimeout(late);
          done();
        });
        ending.kill('SIGTERM');
      });
    },
  };
}

function spawnChild(settings: ChildSettings): ChildProcess {
  const readable = [
    ...settings.program.readable,
    settings.recordingDir,
    ...(settings.caFile === undefined ? [] : [settings.caFile]),
  ].flatMap((path) => (existsSync(path) ? [path, realpathSync(path)] : [path]));
  const flags = [
    '--permission',
    '--allow-addons',
    ...[...new Set(readable)].map((path) => `--allow-fs-read=${path}`),
    `--allow-fs-write=${settings.recordingDir}`,
    // As in bin/launch.sh: a compiling thread can keep Node from ending (nodejs/node#54918).
    '--no-concurrent-sparkplug',
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=SecurityWarning',
  ];
  return spawn(process.execPath, [...flags, settings.program.main], {
    cwd: dirname(settings.recordingDir),
    env: {
      POSTERN_GATEWAY_API: settings.apiUrl,
      POSTERN_GATEWAY_TEAM: settings.team,
      POSTERN_GATEWAY_LISTEN_HOST: settings.host,
      POSTERN_GATEWAY_LISTEN_PORT: String(settings.port),
      POSTERN_GATEWAY_RECORDING_DIR: settings.recordingDir,
      POSTERN_GATEWAY_LOG_LEVEL: settings.logLevel,
      ...(settings.caFile === undefined ? {} : { POSTERN_GATEWAY_CA_FILE: settings.caFile }),
    },
    stdio: ['ignore', 'inherit', 'inherit', 'pipe'],
  });
}

function enrolFrom(line: string, enrol: World['enrol']): Promise<string> {
  const hello: unknown = JSON.parse(line);
  if (!Value.Check(ChildHello, hello))
    throw new Error('the gateway said something else than hello');
  return enrol(hello);
}
