import type { FastifyRequest } from 'fastify';
import type Provider from 'oidc-provider';
import type { Tx } from '../platform/tx.ts';
import type { Attempts } from './attempts.ts';
import type { OauthKeys } from './keys.ts';
import type { BrowserLogin } from './model.ts';
import type { ProviderWorld } from './routes-provider.ts';
import { endOf, type LoginWorld, type RecordProof } from './service-login.ts';

export interface OauthWorld extends ProviderWorld {
  /** Where browsers and clients reach the service; known once it listens. */
  readonly publicUrl: () => string;
  /** The login feature's: who is logged in in the browser that sends these cookies. */
  readonly browserLoginOf: (
    tx: Tx,
    cookies: string | undefined,
  ) => Promise<BrowserLogin | undefined>;
  readonly recordProof: RecordProof;
  readonly monotonic: () => number;
  /** From the system's generator. */
  readonly random: (bytes: number) => Buffer;
  /** @throws Refusal `clock_unsafe` */
  readonly clock: { assertSafe(): void };
}

export interface OauthRouteWorld extends OauthWorld {
  readonly provider: () => Promise<Provider>;
  readonly keys: OauthKeys;
  readonly attempts: Attempts;
  readonly login: LoginWorld;
}

/** Who is logged in in this browser; `again`: so long that nothing can be made of it. */
export async function browserOf(
  tx: Tx,
  { browserLoginOf, login }: OauthRouteWorld,
  request: FastifyRequest,
): Promise<BrowserLogin | 'again' | undefined> {
  const browser = await browserLoginOf(tx, request.headers.cookie);
  if (browser === undefined) return undefined;
  return endOf(browser, login.login_seconds) <= tx.now ? 'again' : browser;
}
