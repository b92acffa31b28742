import { createPrivateKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateEd25519, publicKeyOf } from '@postern/shared';
import { type Alone, ConfigError } from './config.ts';

export interface Identity {
  readonly gatewayId: string;
  readonly callKey: KeyObject;
  readonly hostKey: KeyObject;
}

/** Body of the operation enrollGateway. */
export interface Enrolment {
  readonly code: string;
  readonly public_key: string;
  readonly host_keys: readonly string[];
  readonly host: string;
  readonly port: number;
}

/**
 * A gateway alone keeps its keys and its id in a directory of its own (0700, files 0600).
 * The first time it enrols with a one-time code; afterwards it is known by its key.
 * @throws ConfigError when it is not enrolled and has no code, or a file is not only its own
 */
export async function loadIdentity(
  alone: Alone,
  enrol: (body: Enrolment) => Promise<string>,
): Promise<Identity> {
  mkdirSync(alone.directory, { recursive: true, mode: 0o700 });
  const callKey = keyIn(join(alone.directory, 'call.key'));
  const hostKey = keyIn(join(alone.directory, 'host.key'));
  const idFile = join(alone.directory, 'gateway.id');
  if (existsSync(idFile))
    return { gatewayId: readFileSync(idFile, 'utf8').trim(), callKey, hostKey };
  if (alone.code === undefined)
    throw new ConfigError(
      'this gateway is not enrolled yet: pass --code CODE, a one-time code that an admin makes',
    );
  const gatewayId = await enrol({
    code: alone.code,
    public_key: publicKeyOf(callKey).line,
    host_keys: [publicKeyOf(hostKey).line],
    host: alone.publicHost,
    port: alone.publicPort,
  });
  writeFileSync(idFile, `${gatewayId}\n`, { mode: 0o600, flag: 'wx' });
  return { gatewayId, callKey, hostKey };
}

function keyIn(file: string): KeyObject {
  if (existsSync(file)) {
    if ((statSync(file).mode & 0o077) !== 0)
      throw new ConfigError(`${file} can be read by others: chmod 600 it`);
    return createPrivateKey(readFileSync(file));
  }
  const { private: key } = generateEd25519();
  const pem = key.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(file, pem, { mode: 0o600, flag: 'wx' });
  return key;
}
