import type { Instant } from '@postern/shared';
import type { TokenEndpointResponse } from 'oauth4webapi';
import type { OauthTokens } from '../login-store.ts';
import type { LoginKey } from './key.ts';

/** What is kept of an answer; undefined when it is not what we asked for. */
export function tokensOf(
  answer: TokenEndpointResponse,
  key: LoginKey,
  now: Instant,
): OauthTokens | undefined {
  const { access_token, refresh_token, token_type, expires_in } = answer;
  if (token_type !== 'dpop' || refresh_token === undefined || expires_in === undefined)
    return undefined;
  return { access_token, refresh_token, expires_at: now + expires_in * 1000, key };
}

/** A request takes a while, and clocks differ: what ends within this time is taken for over. */
const MARGIN_MS = 20_000;

export const isOver = (tokens: OauthTokens, now: Instant): boolean =>
  tokens.expires_at - MARGIN_MS <= now;
