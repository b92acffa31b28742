import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type Configuration,
  calculatePKCECodeChallenge,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  fetchUserInfo,
} from 'openid-client';
import { PRIVATE, type Resolve } from '../notifications/index.ts';
import type { Claims } from './claims.ts';
import { createProviderFetch } from './jobs-fetch.ts';
import { type OidcSettings, withoutSlash } from './model.ts';

/** For one request to the provider. */
const WHOLE_MS = 10_000;
/** So long what the provider says of itself is believed; its keys are read again more often. */
const KNOWN_FOR_MS = 60 * 60_000;
/** However long ago somebody logged in at the provider, here he is for no longer. */
const LONGEST_SECONDS = 12 * 3_600;

/** The provider did not do what was asked for. `why` is for the log, and names no secret. */
export class ProviderFault extends Error {
  readonly kind: 'unreachable' | 'refused' | 'invalid';
  readonly why: string;

  constructor(kind: ProviderFault['kind'], why: string) {
    super(`${kind}: ${why}`);
    this.kind = kind;
    this.why = why;
  }
}

export interface Begin {
  readonly redirect_uri: string;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  /** Whether the person has to show again that it is him. */
  readonly fresh: boolean;
}

export interface Answered {
  /** Of the ID token: signed, and for us. */
  readonly id_token: Claims;
  /** Those, and what userinfo has beside them. */
  readonly claims: Claims;
}

export interface Provider {
  /** @returns where the browser goes. @throws ProviderFault */
  begin(begin: Begin): Promise<URL>;
  /** @param search the query that the browser came back with. @throws ProviderFault */
  finish(begin: Omit<Begin, 'fresh'>, search: string): Promise<Answered>;
}

/** openid-client against the provider; over the network, so never within a transaction. */
export function createProvider(
  settings: OidcSettings,
  monotonic: () => number,
  { resolve, whole_ms = WHOLE_MS }: { resolve?: Resolve; whole_ms?: number } = {},
): Provider {
  const ask = createProviderFetch({ ...settings, whole_ms }, resolve);
  let known: { readonly config: Promise<Configuration>; readonly at: number } | undefined;

  const discovered = (): Promise<Configuration> => {
    if (known !== undefined && monotonic() - known.at < KNOWN_FOR_MS) return known.config;
    const found = discover(settings, ask);
    const kept = { config: found, at: monotonic() };
    known = kept;
    found.catch(() => {
      if (known === kept) known = undefined;
    });
    return found;
  };

  return {
    begin: (begin) =>
      faultsOf(async () =>
        buildAuthorizationUrl(await discovered(), {
          scope: settings.scopes.join(' '),
          redirect_uri: begin.redirect_uri,
          state: begin.state,
          nonce: begin.nonce,
          code_challenge: await calculatePKCECodeChallenge(begin.verifier),
          code_challenge_method: 'S256',
          ...(begin.fresh
            ? { prompt: 'login', max_age: '0' }
            : { max_age: String(LONGEST_SECONDS) }),
        }),
      ),
    finish: ({ redirect_uri, state, nonce, verifier }, search) =>
      faultsOf(async () => {
        const config = await discovered();
        const url = new URL(redirect_uri);
        url.search = search;
        const tokens = await authorizationCodeGrant(config, url, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
          maxAge: LONGEST_SECONDS,
          idTokenExpected: true,
        });
        const id_token: Claims | undefined = tokens.claims();
        if (id_token === undefined) throw new ProviderFault('invalid', 'no_id_token');
        if (config.serverMetadata().userinfo_endpoint === undefined)
          return { id_token, claims: id_token };
        const info: Claims = await fetchUserInfo(config, tokens.access_token, String(id_token.sub));
        return { id_token, claims: { ...info, ...id_token } };
      }),
  };
}

async function discover(
  settings: OidcSettings,
  ask: ReturnType<typeof createProviderFetch>,
): Promise<Configuration> {
  const { issuer, client_id, client_secret } = settings;
  const config = await discovery(
    new URL(issuer),
    client_id,
    { client_secret },
    secretAs(client_secret),
    {
      // In the code flow the library would believe the connection alone.
      execute: [
        enableNonRepudiationChecks,
        ...(issuer.startsWith('http:') ? [allowInsecureRequests] : []),
      ],
      [customFetch]: ask,
      timeout: WHOLE_MS / 1_000,
    },
  );
  // For Entra ID the library takes any tenant's name; whoever is in another tenant is nobody here.
  if (withoutSlash(config.serverMetadata().issuer) !== withoutSlash(issuer))
    throw new ProviderFault('invalid', 'other_issuer');
  return config;
}

/** RFC 8414, 2: what the provider does not say is client_secret_basic. */
function secretAs(secret: string): ClientAuth {
  const [basic, post] = [ClientSecretBasic(secret), ClientSecretPost(secret)];
  return (server, ...more) => {
    const { token_endpoint_auth_methods_supported: methods = ['client_secret_basic'] } = server;
    const one = methods.includes('client_secret_basic') ? basic : post;
    one(server, ...more);
  };
}

/** Of sockets, names, time and certificates. */
const NETWORK =
  /^(E[A-Z0-9]+|OAUTH_(TIMEOUT|ABORT)|(CERT|DEPTH|SELF|UNABLE|ERR_TLS|ERR_SSL)_[A-Z_0-9]+)$/;

/** Every error of the library and the network as a fault; what it read is repeated nowhere. */
async function faultsOf<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProviderFault) throw error;
    if (error instanceof AuthorizationResponseError)
      throw new ProviderFault('refused', wordOf(error.error));
    const codes = codesOf(error);
    if (codes.includes(PRIVATE)) throw new ProviderFault('unreachable', 'private_address');
    const network = codes.find((code) => NETWORK.test(code));
    if (network !== undefined) throw new ProviderFault('unreachable', wordOf(network));
    throw new ProviderFault('invalid', wordOf(codes[0]));
  }
}

/** Of the error and of what caused it, the deepest last. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  let at = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth += 1) {
    const { code, cause } = at as { code?: unknown; cause?: unknown };
    if (typeof code === 'string') codes.push(code);
    at = cause;
  }
  return codes;
}

const wordOf = (code: unknown): string =>
  typeof code === 'string' && /^[A-Za-z0-9_]{1,60}$/.test(code) ? code.toLowerCase() : 'unknown';
