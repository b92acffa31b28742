import * as oauth from 'oauth4webapi';
import { notOurs } from '../api/problems.ts';
import type { World } from '../context.ts';
import type { OauthTokens } from '../login-store.ts';
import type { Settings } from '../settings.ts';
import { pairOf } from './key.ts';
import { CLIENT, NO_SECRET, refusedBy, serverOf } from './server.ts';
import { tokensOf } from './tokens.ts';

/** New tokens for old. The old refresh token is used up with it, whatever comes of the answer. */
export async function refresh(
  world: World,
  settings: Settings,
  { refresh_token, key }: OauthTokens,
): Promise<OauthTokens> {
  const { as, options } = await serverOf(world, settings);
  const DPoP = oauth.DPoP(CLIENT, await pairOf(key));
  try {
    const answer = await oauth.refreshTokenGrantRequest(as, CLIENT, NO_SECRET, refresh_token, {
      ...options,
      DPoP,
    });
    const read = await oauth.processRefreshTokenResponse(as, CLIENT, answer);
    const tokens = tokensOf(read, key, world.clock.now());
    if (tokens === undefined) throw notOurs(settings, answer.status);
    return tokens;
  } catch (error) {
    throw refusedBy(settings, error);
  }
}

/** Ends the login at the service. */
export async function revoke(
  world: World,
  settings: Settings,
  { refresh_token }: OauthTokens,
): Promise<void> {
  const { as, options } = await serverOf(world, settings);
  try {
    const answer = await oauth.revocationRequest(as, CLIENT, NO_SECRET, refresh_token, options);
    await oauth.processRevocationResponse(answer);
  } catch (error) {
    throw refusedBy(settings, error);
  }
}
