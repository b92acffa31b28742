import { createPrivateKey, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generateEd25519, publicKeyOf } from '@postern/shared';
import { request } from 'undici';
import { type Config, ConfigError } from './config.ts';

export interface Identity {
  readonly gatewayId: string;
  readonly callKey: KeyObject;
  readonly hostKey: KeyObject;
}

interface Wish {
  readonly directory: string;
  /** The one-time code; needed the first time only. */
  readonly code: string | undefined;
  /** Where clients reach this gateway. */
  readonly publicHost: string;
  readonly publicPort: number;
}

/**
 * A gateway alone keeps its keys and its id in a directory of its own (0700, files 0600).
 * The first time it enrols with a one-time code; afterwards it is known by its key.
 */
export async function loadIdentity(config: Config, wish: Wish): Promise<Identity> {
  mkdirSync(wish.directory, { recursive: true, mode: 0o700 });
  const callKey = keyIn(join(wish.directory, 'call.key'));
  const hostKey = keyIn(join(wish.directory, 'host.key'));
  const idFile = join(wish.directory, 'gateway.id');
  if (existsSync(idFile))
    return { gatewayId: readFileSync(idFile, 'utf8').trim(), callKey, hostKey };
  if (wish.code === undefined)
    throw new ConfigError(
      'this gateway is not enrolled yet: pass --code CODE (sft-admin gateways enroll-code)',
    );
  const response = await request(
    new URL(`/v1/teams/${encodeURIComponent(config.team)}/gateway/enroll`, config.api),
    {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        code: wish.code,
        public_key: publicKeyOf(callKey).line,
        host_keys: [publicKeyOf(hostKey).line],
        host: wish.publicHost,
        port: wish.publicPort,
      }),
    },
  );
  const answer = (await response.body.json()) as { gateway_id?: string; detail?: string };
  if (response.statusCode !== 201 || answer.gateway_id === undefined)
    throw new ConfigError(`not enrolled: ${answer.detail ?? `status ${response.statusCode}`}`);
  writeFileSync(idFile, `${answer.gateway_id}\n`, { mode: 0o600, flag: 'wx' });
  return { gatewayId: answer.gateway_id, callKey, hostKey };
}

function keyIn(file: string): KeyObject {
  if (existsSync(file)) return createPrivateKey(readFileSync(file));
  const { private: key } = generateEd25519();
  const pem = key.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(file, pem, { mode: 0o600, flag: 'wx' });
  return key;
}
