import type { World } from './context.ts';
import { Failure } from './failure.ts';
import type { LoginKey } from './oauth/key.ts';

interface Place {
  readonly url: string;
  readonly team: string;
  readonly ca_file?: string;
}

/** Tokens of a login, and the key without which they are of no use. */
export interface OauthTokens {
  readonly access_token: string;
  readonly refresh_token: string;
  /** When the access token ends: milliseconds since 1970. */
  readonly expires_at: number;
  readonly key: LoginKey;
}

/** What `sft login` keeps between commands. */
export type Login = Place & ({ readonly token: string } | { readonly oauth: OauthTokens });

/** `$XDG_CONFIG_HOME/sft`, else `~/.sft`. */
export function loginPath({ env, home }: World): string {
  const base = env.XDG_CONFIG_HOME;
  // The XDG base directory specification: a relative path is to be ignored.
  return base?.startsWith('/') ? `${base}/sft/login.json` : `${home}/.sft/login.json`;
}

/** @returns undefined when nobody is logged in. */
export async function readLogin(world: World): Promise<Login | undefined> {
  const path = loginPath(world);
  let text: string;
  try {
    const mode = await world.files.mode(path);
    if ((mode & 0o077) !== 0) throw exposed(path);
    text = await world.files.read(path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw broken(path);
  }
  const login = parse(text);
  if (login === undefined) throw broken(path);
  return login;
}

export const writeLogin = (world: World, login: Login): Promise<void> =>
  world.files.writePrivate(loginPath(world), `${JSON.stringify(login, null, 2)}\n`);

export async function removeLogin(world: World): Promise<void> {
  try {
    await world.files.remove(loginPath(world));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw broken(loginPath(world));
  }
}

function parse(text: string): Login | undefined {
  try {
    const value = JSON.parse(text) as Record<string, unknown>;
    const tokens = value.oauth as Partial<Record<keyof OauthTokens, unknown>> | undefined;
    const held =
      tokens === undefined
        ? [value.token]
        : [tokens.access_token, tokens.refresh_token, ...keyTexts(tokens.key)];
    const isLogin =
      [value.url, value.team, ...held].every((text) => typeof text === 'string') &&
      (tokens === undefined || typeof tokens.expires_at === 'number');
    return isLogin ? (value as unknown as Login) : undefined;
  } catch {
    return undefined;
  }
}

function keyTexts(key: unknown): unknown[] {
  const { x, y, d } = (key ?? {}) as Record<string, unknown>;
  return [x, y, d];
}

const exposed = (path: string): Failure =>
  new Failure(
    'configuration',
    `${path} can be read by others, so its token may be known to them.`,
    `End that token, run \`chmod 600 ${path}\`, and log in again.`,
  );

const broken = (path: string): Failure =>
  new Failure('configuration', `${path} cannot be read.`, 'Log in again to write it anew.');
