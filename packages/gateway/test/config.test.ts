import { describe, expect, test } from 'vitest';
import { ConfigError, readConfig } from '../src/config.ts';

const GOOD = {
  POSTERN_GATEWAY_API: 'https://postern.example',
  POSTERN_GATEWAY_TEAM: 'demo',
  POSTERN_GATEWAY_RECORDING_DIR: '/var/lib/postern/recordings',
};

const faults = (args: string[], environment: Record<string, string>): string => {
  try {
    readConfig(args, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
};

describe('settings', () => {
  test('a child is told by its environment alone', () => {
    expect(readConfig([], GOOD)).toEqual({
      api: new URL('https://postern.example'),
      team: 'demo',
      host: '127.0.0.1',
      port: 2022,
      recordingDirectory: '/var/lib/postern/recordings',
      logLevel: 'info',
      ca: undefined,
      alone: undefined,
    });
  });

  test('alone: flags stand over the environment, recordings go to the data directory', () => {
    const args = ['--data-dir', '/d', '--team', 'other', '--listen-host', '0.0.0.0', '--code', 'c'];
    const config = readConfig([...args, '--public-host', 'gw.example', '--public-port', '443'], {
      ...GOOD,
      POSTERN_GATEWAY_RECORDING_DIR: undefined as unknown as string,
    });
    expect(config).toMatchObject({
      team: 'other',
      host: '0.0.0.0',
      recordingDirectory: '/d/recordings',
      alone: { directory: '/d', code: 'c', publicHost: 'gw.example', publicPort: 443 },
    });
  });

  test('everything that is wrong is told at once', () => {
    const text = faults([], {
      POSTERN_GATEWAY_LISTEN_PORT: '70000',
      POSTERN_GATEWAY_LOG_LEVEL: 'x',
    });
    for (const name of ['API', 'TEAM', 'RECORDING_DIR', 'LISTEN_PORT', 'LOG_LEVEL'])
      expect(text).toContain(`POSTERN_GATEWAY_${name}`);
  });

  for (const api of [
    'http://postern.example',
    'http://10.0.0.1:8080',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
    'ftp://127.0.0.1',
    'nonsense',
    'https://user:pass@postern.example',
    'https://postern.example/prefix',
    'https://postern.example/?x=1',
  ])
    test(`deny: the service at ${api}`, () => {
      expect(faults([], { ...GOOD, POSTERN_GATEWAY_API: api })).toContain('POSTERN_GATEWAY_API');
    });

  for (const api of ['http://127.0.0.1:8080', 'http://[::1]:8080', 'http://localhost:8080'])
    test(`plain http on this machine: ${api}`, () => {
      expect(readConfig([], { ...GOOD, POSTERN_GATEWAY_API: api }).api.href).toBe(`${api}/`);
    });

  test('deny: ports that are none', () => {
    for (const port of ['-1', '65536', '1e3', '0x16', ' 22', ''])
      expect(faults([], { ...GOOD, POSTERN_GATEWAY_LISTEN_PORT: port })).toContain('LISTEN_PORT');
  });

  test('deny: unknown flags, as a mistake of usage', () => {
    expect(() => readConfig(['--insecure'], GOOD)).toThrow(
      expect.objectContaining({ exit: 'usage' }),
    );
  });

  test('deny: a CA file that cannot be read', () => {
    expect(faults(['--ca-file', '/nonexistent.pem'], GOOD)).toContain('CA_FILE');
  });
});
