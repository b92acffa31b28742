import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

// The last net: nothing that holds a credential is handed to the log in the first place.
const SECRETS = [
  'password',
  'private_key',
  'privateKey',
  'credential',
  'passphrase',
  'signature',
  'authorization',
];

/** JSON lines on stderr. */
export function openLog(level: string): Logger {
  const paths = SECRETS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  const destination = pino.destination({ dest: 2, sync: true });
  // When nobody reads the log any more, the sessions still have to be ended in order.
  destination.on('error', () => {});
  return pino(
    { level, base: { part: 'gateway' }, redact: { paths, censor: '[secret]' } },
    destination,
  );
}

export function silentLog(): Logger {
  return pino({ level: 'silent' });
}
