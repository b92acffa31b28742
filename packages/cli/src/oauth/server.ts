import * as oauth from 'oauth4webapi';
import { HttpFault } from '../api/port.ts';
import { notOurs, unreachable } from '../api/problems.ts';
import type { World } from '../context.ts';
import { Failure, interrupted } from '../failure.ts';
import type { Settings } from '../settings.ts';

const TIMEOUT_MS = 30_000;
/** How far the service's clock may be from this machine's. */
const CLOCK_TOLERANCE_SECONDS = 60;

/** A public client (RFC 8252): it is known by where its codes go and by its key. */
export const CLIENT: oauth.Client = {
  client_id: 'sft',
  token_endpoint_auth_method: 'none',
  dpop_bound_access_tokens: true,
  [oauth.clockTolerance]: CLOCK_TOLERANCE_SECONDS,
};
export const NO_SECRET = oauth.None();

export interface Server {
  readonly as: oauth.AuthorizationServer;
  readonly options: Options;
}
export type Options = ReturnType<typeof optionsOf>;

/** Requests go by the world, so that its certificate authorities and its limits hold here too. */
function optionsOf(world: World, settings: Settings) {
  const { ca } = settings;
  return {
    [oauth.allowInsecureRequests]: settings.url.protocol === 'http:',
    [oauth.customFetch]: async (
      url: string,
      { method, headers, body }: oauth.CustomFetchOptions<string, unknown>,
    ): Promise<Response> => {
      try {
        const answer = await world.http.send({
          method,
          url: new URL(url),
          headers,
          ...(body != null && { body: String(body) }),
          ...(ca !== undefined && { ca }),
          timeout_ms: TIMEOUT_MS,
          signal: world.interrupt,
        });
        const types = { 'content-type': String(answer.headers['content-type'] ?? '') };
        const text = [204, 304].includes(answer.status) ? null : answer.text;
        return new Response(text, { status: answer.status, headers: types });
      } catch (error) {
        if (!(error instanceof HttpFault)) throw error;
        throw error.code === 'ABORTED' ? interrupted() : unreachable(settings, error.code);
      }
    },
  };
}

/** The authorization server of the service, as it describes itself (OpenID Connect Discovery). */
export async function serverOf(world: World, settings: Settings): Promise<Server> {
  const options = optionsOf(world, settings);
  const issuer = new URL('oauth', `${settings.url.href.replace(/\/$/, '')}/`);
  const answer = await oauth.discoveryRequest(issuer, options);
  if (answer.status !== 200) throw notOurs(settings, answer.status);
  try {
    const as = await oauth.processDiscoveryResponse(issuer, answer);
    for (const endpoint of ENDPOINTS)
      if (new URL(as[endpoint] ?? '').origin !== issuer.origin) throw notOurs(settings, 200);
    return { as, options };
  } catch (error) {
    const named = issuerIn(error);
    if (named === undefined) throw notOurs(settings, answer.status);
    throw new Failure(
      'configuration',
      `The service at ${settings.url.href} says that it is ${named}.`,
      `Use that address: sft login --url ${named}`,
    );
  }
}

const ENDPOINTS = [
  'authorization_endpoint',
  'token_endpoint',
  'device_authorization_endpoint',
  'revocation_endpoint',
] as const;

/** Who else the service says that it is: where it is reached under another name. */
function issuerIn(error: unknown): string | undefined {
  const { code, cause } = error as { code?: unknown; cause?: { body?: { issuer?: unknown } } };
  const issuer = cause?.body?.issuer;
  if (code !== oauth.JSON_ATTRIBUTE_COMPARISON || typeof issuer !== 'string') return undefined;
  return issuer.replace(/\/oauth$/, '');
}

/** What the authorization server refused, as one line and what to do. */
export function refusedBy(settings: Settings, error: unknown): Error {
  if (error instanceof Failure) return error;
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.AuthorizationResponseError)
    return new Failure(
      'unauthenticated',
      `${WORDS[error.error] ?? 'The service refused the login'} (${error.error}).`,
      'Log in again: sft login',
    );
  return notOurs(settings, (error as { status?: number }).status ?? 200);
}

const WORDS: Readonly<Record<string, string>> = {
  access_denied: 'The login was refused in the browser',
  expired_token: 'Nobody allowed the login within ten minutes',
  invalid_grant: 'The login has ended',
};
