import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Instant } from '@postern/shared';
import Provider, {
  type Configuration,
  interactionPolicy,
  type KoaContextWithOIDC,
} from 'oidc-provider';
import { messagePage, PAGE_HEADERS } from '../platform/page.ts';
import { newSigningKey } from '../platform/signing-key.ts';
import type { Transact } from '../platform/tx.ts';
import type { Keyring } from '../vault/index.ts';
import { PROTOCOL } from './configuration.ts';
import { oauthKeys } from './keys.ts';
import type { OauthSettings } from './model.ts';
import { createAdapter } from './routes-adapter.ts';
import { signingKey } from './service-keys.ts';
import { isActive } from './service-login.ts';

export interface ProviderWorld {
  readonly team: string;
  readonly transact: Transact;
  readonly keyring: Keyring;
  readonly oauth: OauthSettings;
  readonly now: () => Instant;
  readonly log: { error(facts: object, line: string): void };
}

/** Cookies of oidc-provider; all of them are for the minutes of one login. */
export const COOKIES = {
  session: 'postern_oauth',
  interaction: 'postern_oauth_interaction',
  resume: 'postern_oauth_resume',
} as const;

/**
 * The authorization server under its issuer. Nobody is logged in at it: each authorization
 * asks the login feature who the browser's person is.
 */
export async function createProvider(issuer: URL, world: ProviderWorld): Promise<Provider> {
  const { team, transact, keyring, oauth } = world;
  const fresh = await newSigningKey();
  const key = await transact((tx) => signingKey(tx, { team, keyring }, fresh));
  const keys = oauthKeys(keyring);
  const keeping = { user_code_key: keys.user_codes };
  const cookie = { signed: true, httpOnly: true, sameSite: 'lax' } as const;
  const configuration: Configuration = {
    ...PROTOCOL,
    adapter: createAdapter({ transact, keeping }),
    jwks: { keys: [key] } as NonNullable<Configuration['jwks']>,
    cookies: {
      keys: [...keys.cookies],
      names: COOKIES,
      long: { ...cookie, path: issuer.pathname },
      short: cookie,
    },
    features: {
      ...PROTOCOL.features,
      deviceFlow: {
        ...PROTOCOL.features.deviceFlow,
        deviceInfo: (ctx) => ({ address: ctx.ip }),
      },
    },
    ttl: {
      ...PROTOCOL.ttl,
      Grant: oauth.login_seconds,
      // As long as the login itself, however often it is rotated.
      RefreshToken: (ctx) => secondsLeft(ctx.oidc.entities.Grant?.exp, world.now()),
    },
    interactions: {
      url: (_, interaction) => `${issuer.pathname}/interaction/${interaction.uid}`,
      policy: [
        new interactionPolicy.Prompt(
          { name: 'login', requestable: true },
          new interactionPolicy.Check(
            'browser_login',
            'the person logs in at the login page',
            'login_required',
            (ctx) => ctx.oidc.result?.login === undefined,
          ),
        ),
      ],
    },
    loadExistingGrant: async (ctx) => {
      const id = ctx.oidc.result?.consent?.grantId;
      return id === undefined ? undefined : await ctx.oidc.provider.Grant.find(id);
    },
    findAccount: async (_, id) =>
      (await transact((tx) => isActive(tx, id)))
        ? { accountId: id, claims: async () => ({ sub: id }) }
        : undefined,
    issueRefreshToken: async () => true,
    expiresWithSession: async () => false,
    renderError: (ctx, out) => showError(ctx, out),
  };
  const provider = new Provider(issuer.href, configuration);
  // The headers that it then believes are set by whoever hands it a request, from the issuer.
  provider.proxy = true;
  provider.silent = true;
  (provider as EventEmitter).on('error', (err) => world.log.error({ err }, 'authorization server'));
  provider.on('server_error', (_, err) => world.log.error({ err }, 'authorization server'));
  return provider;
}

const secondsLeft = (exp: number | undefined, now: number): number =>
  Math.max(1, (exp ?? 0) - Math.floor(now / 1000));

function showError(
  ctx: KoaContextWithOIDC,
  { error, error_description }: { error: string; error_description?: string | undefined },
): void {
  for (const [name, value] of Object.entries(PAGE_HEADERS)) ctx.set(name, value);
  ctx.type = 'html';
  ctx.body = messagePage('The login cannot go on', [
    error_description ?? error,
    'Start it again in the program: sft login',
  ]);
}

/** Hands a request over, as one to its own root. The answer's headers so far are kept. */
export function handOver(
  provider: Provider,
  raw: { readonly request: IncomingMessage; readonly response: ServerResponse },
  from: { readonly path: string; readonly address: string },
): void {
  const { request, response } = raw;
  const issuer = new URL(provider.issuer);
  request.headers['x-forwarded-proto'] = issuer.protocol.slice(0, -1);
  request.headers['x-forwarded-host'] = issuer.host;
  request.headers['x-forwarded-for'] = from.address;
  // Its session of an earlier login says nothing here, and would be in the way of another person's.
  request.headers.cookie = withoutSession(request.headers.cookie);
  // It advertises what stands before the path that it sees.
  Object.assign(request, { originalUrl: `${issuer.pathname}${from.path}`, url: from.path });
  void provider.callback()(request, response);
}

function withoutSession(cookies: string | undefined): string {
  const names = [COOKIES.session, `${COOKIES.session}.sig`];
  return (cookies ?? '')
    .split(/; */)
    .filter((pair) => !names.includes(pair.split('=')[0] ?? ''))
    .join('; ');
}
