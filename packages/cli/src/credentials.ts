import { type Authorize, bearer } from './authorize.ts';
import type { World } from './context.ts';
import { readLogin } from './login-store.ts';
import {
  checkedToken,
  notLoggedIn,
  readTokenFile,
  type Settings,
  sameService,
} from './settings.ts';

/**
 * How to come to this service and team. A stored login goes only to where it was stored for:
 * a `--url` to somewhere else must not carry it along.
 */
export async function readAuthorize(world: World, settings: Settings): Promise<Authorize> {
  const { SFT_TOKEN, SFT_TOKEN_FILE } = world.env;
  if (SFT_TOKEN) return bearer(checkedToken(SFT_TOKEN, 'SFT_TOKEN'));
  if (SFT_TOKEN_FILE) return bearer(await readTokenFile(world, SFT_TOKEN_FILE));
  const login = await readLogin(world);
  if (login === undefined || !sameService(login, settings.url.href) || login.team !== settings.team)
    throw notLoggedIn(settings);
  if ('token' in login) return bearer(checkedToken(login.token, 'the stored login'));
  const { authorizeWith } = await import('./oauth/authorize.ts');
  return authorizeWith(world, settings, login.oauth);
}
