import type { World } from './context.ts';
import { Failure } from './failure.ts';
import type { KeychainManner } from './keychain.ts';
import type { SealKey } from './login-key.ts';
import type { Sealed } from './login-seal.ts';
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

type Secrets = { readonly token: string } | { readonly oauth: OauthTokens };

/**
 * Where the secrets are kept: sealed under a key of the keychain, or in the file because that
 * was decided. Undefined in a file from before there was a choice.
 */
export type Kept = SealKey | 'file' | undefined;

/** What `sft login` keeps between commands. */
export type Login = Place & Secrets & { readonly kept?: Kept };

/** As it lies in the file: with the secrets, or with them sealed. */
export type StoredLogin = Place &
  ((Secrets & { readonly kept?: 'file' }) | { readonly sealed: Sealed });

/** `$XDG_CONFIG_HOME/sft`, else `~/.sft`. */
export function loginPath({ env, home }: World): string {
  const base = env.XDG_CONFIG_HOME;
  // The XDG base directory specification: a relative path is to be ignored.
  return base?.startsWith('/') ? `${base}/sft/login.json` : `${home}/.sft/login.json`;
}

/**
 * Without its secrets where they are sealed: `openLogin` opens them.
 * @returns undefined when nobody is logged in.
 */
export async function readLogin(world: World): Promise<StoredLogin | undefined> {
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

/** @throws Failure 78 when the keychain does not give the key, or it does not fit */
export async function openLogin(
  world: World,
  stored: StoredLogin,
  manner?: KeychainManner,
): Promise<Login> {
  if (!('sealed' in stored)) return stored;
  const { sealed, ...place } = stored;
  const [{ keyOf }, { unseal }] = await Promise.all([
    import('./login-key.ts'),
    import('./login-seal.ts'),
  ]);
  const kept = await keyOf(world, sealed.key, manner);
  const text = unseal(kept, bound(place, sealed.key), sealed);
  const login = text === undefined ? undefined : parse(text, place);
  if (login === undefined || 'sealed' in login) throw broken(loginPath(world));
  return { ...login, kept };
}

/** Keeps the secrets where `kept` says; the file is replaced in one step. */
export async function writeLogin(world: World, { kept, ...login }: Login): Promise<void> {
  const stored = kept === undefined || kept === 'file' ? { ...login, kept } : await sealed();
  await world.files.writePrivate(loginPath(world), `${JSON.stringify(stored, null, 2)}\n`);

  async function sealed(): Promise<StoredLogin> {
    const { seal } = await import('./login-seal.ts');
    const { url, team, ca_file, ...secrets } = login;
    const place: Place = { url, team, ...(ca_file !== undefined && { ca_file }) };
    const key = kept as SealKey;
    return { ...place, sealed: seal(key, bound(place, key.id), JSON.stringify(secrets)) };
  }
}

/**
 * Another login in the place of the one before: whoever renews that one just now is let finish, and
 * does not write over this one.
 * @returns the one before
 */
export async function replaceLogin(world: World, login: Login): Promise<StoredLogin | undefined> {
  const release = await world.files.lock(`${loginPath(world)}.lock`, world.interrupt);
  try {
    const before = await readLogin(world).catch(() => undefined);
    await writeLogin(world, login);
    return before;
  } finally {
    await release();
  }
}

/** Sealed secrets open for this service, team and authority only, whoever writes to the file. */
const bound = ({ url, team, ca_file }: Place, id: string): string =>
  JSON.stringify(['sft login', 1, id, url, team, ca_file ?? null]);

export async function removeLogin(world: World): Promise<void> {
  try {
    await world.files.remove(loginPath(world));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw broken(loginPath(world));
  }
}

/** @param place where it is for, when the text holds the secrets alone */
function parse(text: string, place?: Place): StoredLogin | undefined {
  try {
    const value: Record<string, unknown> = { ...JSON.parse(text), ...place };
    const tokens = value.oauth as Partial<Record<keyof OauthTokens, unknown>> | undefined;
    const sealed = value.sealed as Partial<Record<keyof Sealed, unknown>> | undefined;
    const held =
      sealed !== undefined
        ? [sealed.key, sealed.nonce, sealed.data]
        : tokens === undefined
          ? [value.token]
          : [tokens.access_token, tokens.refresh_token, ...keyTexts(tokens.key)];
    const isLogin =
      [value.url, value.team, ...held].every((text) => typeof text === 'string') &&
      (tokens === undefined || typeof tokens.expires_at === 'number') &&
      [undefined, 'file'].includes(value.kept as undefined);
    return isLogin ? (value as unknown as StoredLogin) : undefined;
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
