import { type Authorize, bearer } from './authorize.ts';
import type { World } from './context.ts';
import { openLogin, readLogin } from './login-store.ts';
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
  const stored = await readLogin(world);
  if (
    stored === undefined ||
    !sameService(stored, settings.url.href) ||
    stored.team !== settings.team
  )
    throw notLoggedIn(settings);
  const login = await openLogin(world, stored);
  if ('token' in login) return bearer(checkedToken(login.token, 'the stored login'));
  const { authorizeWith } = await import('./oauth/authorize.ts');
  return authorizeWith(world, settings, login.oauth);
}

/** The variable that goes before any login; undefined: none is set. */
export function tokenVariable({ env }: World): 'SFT_TOKEN' | 'SFT_TOKEN_FILE' | undefined {
  if (env.SFT_TOKEN) return 'SFT_TOKEN';
  return env.SFT_TOKEN_FILE ? 'SFT_TOKEN_FILE' : undefined;
}

/** Where the secrets of whoever calls come from, in one word. */
export async function keptIn(world: World): Promise<'environment' | 'file' | 'keychain'> {
  const { SFT_TOKEN, SFT_TOKEN_FILE } = world.env;
  if (SFT_TOKEN) return 'environment';
  if (SFT_TOKEN_FILE) return 'file';
  const stored = await readLogin(world);
  return stored !== undefined && 'sealed' in stored ? 'keychain' : 'file';
}
