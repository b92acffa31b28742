import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

/** What the gateway's process is told: by the environment, and alone by flags over it. */
export interface Config {
  readonly api: URL;
  readonly team: string;
  readonly host: string;
  readonly port: number;
  readonly recordingDirectory: string;
  readonly logLevel: string;
  /** Certificate authorities besides Node's own, PEM. */
  readonly ca: string | undefined;
  /** undefined: this process is the service's child and is known over the pipe. */
  readonly alone: Alone | undefined;
}

export interface Alone {
  /** Holds the keys and the id. */
  readonly directory: string;
  /** The one-time code; needed the first time only. */
  readonly code: string | undefined;
  /** Where clients reach this gateway. */
  readonly publicHost: string;
  readonly publicPort: number;
}

/** Wrong settings or flags: told to the person who starts the process. */
export class ConfigError extends Error {
  readonly exit: 'usage' | 'config';
  constructor(message: string, exit: 'usage' | 'config' = 'config') {
    super(message);
    this.exit = exit;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The flags of `posternd gateway` and the variable each stands for. */
const FLAGS = {
  service: 'API',
  team: 'TEAM',
  'listen-host': 'LISTEN_HOST',
  'listen-port': 'LISTEN_PORT',
  'recording-dir': 'RECORDING_DIR',
  'log-level': 'LOG_LEVEL',
  'ca-file': 'CA_FILE',
  'data-dir': 'DATA_DIR',
  code: 'CODE',
  'public-host': 'PUBLIC_HOST',
  'public-port': 'PUBLIC_PORT',
} as const;

const ALL = Object.keys(FLAGS).map((flag) => `--${flag}`);
const NEXT = `Alone it needs --service, --team and --data-dir; all flags: ${ALL.join(' ')}. What they mean: docs/guides/gateway.md`;

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

/** @throws ConfigError that names everything that is missing or wrong */
export function readConfig(args: readonly string[], environment: Environment): Config {
  const flags = readFlags(args);
  const faults: string[] = [];
  const optional = (flag: keyof typeof FLAGS): string | undefined =>
    flags[flag] ?? environment[`POSTERN_GATEWAY_${FLAGS[flag]}`] ?? undefined;
  const needed = (flag: keyof typeof FLAGS): string => {
    const value = optional(flag) ?? '';
    if (value === '') faults.push(`${nameOf(flag)} is missing`);
    return value;
  };
  const port = (flag: keyof typeof FLAGS, fallback: number): number => {
    const text = optional(flag) ?? String(fallback);
    const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value <= 65535)) faults.push(`${nameOf(flag)} is not a port: ${JSON.stringify(text)}`);
    return value;
  };
  const directory = optional('data-dir');
  const host = optional('listen-host') ?? '127.0.0.1';
  const listenPort = port('listen-port', 2022);
  const level = optional('log-level') ?? 'info';
  if (!LEVELS.includes(level))
    faults.push(`${nameOf('log-level')} is none of ${LEVELS.join(', ')}`);
  const recordings = optional('recording-dir') ?? (directory && join(directory, 'recordings'));
  if (recordings === undefined) faults.push(`${nameOf('recording-dir')} is missing`);
  const config = {
    api: parseApi(needed('service'), faults),
    team: needed('team'),
    host,
    port: listenPort,
    recordingDirectory: recordings ?? '',
    logLevel: level,
    ca: readCa(optional('ca-file'), faults),
    alone:
      directory === undefined
        ? undefined
        : {
            directory,
            code: optional('code'),
            publicHost: optional('public-host') ?? host,
            publicPort: port('public-port', listenPort),
          },
  };
  if (faults.length > 0) throw new ConfigError(`${faults.join('; ')}.\n${NEXT}`);
  return config;
}

function readFlags(args: readonly string[]): Partial<Record<keyof typeof FLAGS, string>> {
  const options = Object.fromEntries(
    Object.keys(FLAGS).map((flag) => [flag, { type: 'string' as const }]),
  );
  try {
    return parseArgs({ args: [...args], options, strict: true }).values;
  } catch (error) {
    throw new ConfigError(`${(error as Error).message.split('. ')[0]}.\n${NEXT}`, 'usage');
  }
}

const nameOf = (flag: keyof typeof FLAGS) => `--${flag} (POSTERN_GATEWAY_${FLAGS[flag]})`;

const NOWHERE = new URL('http://127.0.0.1');

/** Plain HTTP only to this machine: everything else carries secrets over a network. */
function parseApi(text: string, faults: string[]): URL {
  if (text === '') return NOWHERE;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    faults.push(`${nameOf('service')} is not an http(s) URL`);
    return NOWHERE;
  }
  if (url.protocol === 'http:' && !/^(127(\.\d+){3}|\[::1\]|localhost)$/.test(url.hostname))
    faults.push(`${nameOf('service')} must be https unless it is on this machine`);
  if (url.pathname !== '/' || url.search !== '' || url.username !== '' || url.password !== '')
    faults.push(`${nameOf('service')} must be scheme, host and port only`);
  return url;
}

function readCa(file: string | undefined, faults: string[]): string | undefined {
  if (file === undefined || file === '') return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    faults.push(`${nameOf('ca-file')} cannot be read: ${(error as Error).message}`);
    return undefined;
  }
}
