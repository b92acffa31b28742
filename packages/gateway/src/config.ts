import { readFileSync } from 'node:fs';

/** What the gateway's process is told, by explicit environment variables only. */
export interface Config {
  readonly api: URL;
  readonly team: string;
  readonly host: string;
  readonly port: number;
  readonly recordingDirectory: string;
  readonly logLevel: string;
  /** Certificate authorities besides Node's own, PEM. */
  readonly ca: string | undefined;
}

export class ConfigError extends Error {}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws ConfigError naming every variable that is missing or wrong */
export function readConfig(environment: Environment): Config {
  const faults: string[] = [];
  const get = (name: string, fallback?: string): string => {
    const value = environment[`POSTERN_GATEWAY_${name}`] ?? fallback;
    if (value === undefined || value === '') faults.push(`POSTERN_GATEWAY_${name} is missing`);
    return value ?? '';
  };
  const api = parseUrl(get('API'), faults);
  const port = Number(get('LISTEN_PORT', '2022'));
  if (!Number.isInteger(port) || port < 0 || port > 65535)
    faults.push('POSTERN_GATEWAY_LISTEN_PORT is not a port');
  const caFile = environment.POSTERN_GATEWAY_CA_FILE;
  const config = {
    team: get('TEAM'),
    host: get('LISTEN_HOST', '127.0.0.1'),
    port,
    recordingDirectory: get('RECORDING_DIR'),
    logLevel: get('LOG_LEVEL', 'info'),
    ca: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
  };
  if (faults.length > 0 || api === undefined) throw new ConfigError(faults.join('; '));
  return { ...config, api };
}

/** Plain HTTP only to this machine: everything else carries secrets over a network. */
function parseUrl(text: string, faults: string[]): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    faults.push('POSTERN_GATEWAY_API is not an http(s) URL');
    return undefined;
  }
  if (url.protocol === 'http:' && !/^(127(\.\d+){3}|\[::1\]|localhost)$/.test(url.hostname))
    faults.push('POSTERN_GATEWAY_API must be https: unless it is loopback');
  return url;
}
