import * as oauth from 'oauth4webapi';
import { notOurs } from '../api/problems.ts';
import type { World } from '../context.ts';
import { Failure, interrupted } from '../failure.ts';
import type { OauthTokens } from '../login-store.ts';
import type { Settings } from '../settings.ts';
import { newKey } from './key.ts';
import { CLIENT, NO_SECRET, refusedBy, type Server, serverOf } from './server.ts';
import { tokensOf } from './tokens.ts';

const SCOPE = 'openid';
const PATIENCE_MS = 5 * 60_000;

interface Asking {
  readonly world: World;
  readonly settings: Settings;
  readonly say: (line: string) => void;
}

/** In the browser of this machine: a code comes to a loopback address (RFC 8252, RFC 7636). */
export async function logInByBrowser({ world, settings, say }: Asking): Promise<OauthTokens> {
  const server = await serverOf(world, settings);
  const { as } = server;
  const { pair, key } = await newKey();
  const DPoP = oauth.DPoP(CLIENT, pair);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const loopback = await world.browser.listen(
    (url) => url.pathname === '/callback' && url.searchParams.get('state') === state,
  );
  try {
    const redirect_uri = `http://127.0.0.1:${loopback.port}/callback`;
    const url = new URL(as.authorization_endpoint as string);
    const asked = {
      client_id: CLIENT.client_id,
      response_type: 'code',
      scope: SCOPE,
      redirect_uri,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      // The code is of no use to whoever has another key (RFC 9449, 10).
      dpop_jkt: await DPoP.calculateThumbprint(),
      device_name: world.hostname,
    };
    for (const [name, value] of Object.entries(asked)) url.searchParams.set(name, value);
    say('Log in in the browser. If it does not open, go to:');
    say(url.href);
    await world.browser.open(url);
    const came = await arrived(world, loopback.arrival);
    return await redeemed({ world, settings, say }, server, async (options) => {
      const params = oauth.validateAuthResponse(as, CLIENT, came, state);
      const answer = await oauth.authorizationCodeGrantRequest(
        as,
        CLIENT,
        NO_SECRET,
        params,
        redirect_uri,
        verifier,
        { ...options, DPoP },
      );
      const read = await oauth.processAuthorizationCodeResponse(as, CLIENT, answer);
      return tokensOf(read, key, world.clock.now());
    });
  } finally {
    loopback.close();
  }
}

async function arrived(world: World, arrival: Promise<URL>): Promise<URL> {
  const done = new AbortController();
  const stop = AbortSignal.any([done.signal, world.interrupt]);
  const late = world.clock.sleep(PATIENCE_MS, stop).then(() => undefined);
  const came = await Promise.race([arrival, late]);
  done.abort();
  if (came !== undefined) return came;
  if (world.interrupt.aborted) throw interrupted();
  throw new Failure(
    'unauthenticated',
    'Nobody logged in in the browser within five minutes.',
    'Run it again, or on a machine without a browser: sft login --no-browser',
  );
}

/** With a code that is typed or followed on another machine (RFC 8628). */
export async function logInByCode({ world, settings, say }: Asking): Promise<OauthTokens> {
  const server = await serverOf(world, settings);
  const { as } = server;
  const { pair, key } = await newKey();
  const DPoP = oauth.DPoP(CLIENT, pair);
  return await redeemed({ world, settings, say }, server, async (options) => {
    const form = { scope: SCOPE, device_name: world.hostname };
    const started = await oauth.deviceAuthorizationRequest(as, CLIENT, NO_SECRET, form, options);
    const device = await oauth.processDeviceAuthorizationResponse(as, CLIENT, started);
    say(`Open ${device.verification_uri} in a browser and enter the code`);
    say(`  ${device.user_code}`);
    say(`or open ${device.verification_uri_complete ?? device.verification_uri}`);
    const { spinner } = await import('../access/spinner.ts');
    const waiting = spinner(world);
    waiting.show(`Waiting for the code ${device.user_code} to be allowed`);
    try {
      let seconds = device.interval ?? 5;
      for (;;) {
        await world.clock.sleep(seconds * 1000, world.interrupt);
        if (world.interrupt.aborted) throw interrupted();
        const answer = await oauth.deviceCodeGrantRequest(
          as,
          CLIENT,
          NO_SECRET,
          device.device_code,
          { ...options, DPoP },
        );
        const next = await waits(answer);
        if (next === 'slower') seconds += 5;
        if (next !== 'answered') continue;
        const read = await oauth.processDeviceCodeResponse(as, CLIENT, answer);
        return tokensOf(read, key, world.clock.now());
      }
    } finally {
      waiting.stop();
    }
  });
}

/** RFC 8628, 3.5; too many requests are a wish for fewer as well. */
async function waits(answer: Response): Promise<'answered' | 'again' | 'slower'> {
  if (answer.status === 429 || answer.status === 503) return 'slower';
  if (answer.status !== 400) return 'answered';
  const { error } = (await answer
    .clone()
    .json()
    .catch(() => ({}))) as { error?: unknown };
  if (error === 'slow_down') return 'slower';
  return error === 'authorization_pending' ? 'again' : 'answered';
}

async function redeemed(
  { settings }: Asking,
  { options }: Server,
  act: (options: Server['options']) => Promise<OauthTokens | undefined>,
): Promise<OauthTokens> {
  try {
    const tokens = await act(options);
    if (tokens === undefined) throw notOurs(settings, 200);
    return tokens;
  } catch (error) {
    throw refusedBy(settings, error);
  }
}
