import type { World } from './context.ts';
import { Failure } from './failure.ts';
import { readLogin, type StoredLogin } from './login-store.ts';

/** Where to ask, and as whom. */
export interface Settings {
  readonly url: URL;
  readonly team: string;
  readonly ca: string | undefined;
}

export interface GlobalFlags {
  readonly url?: string | undefined;
  readonly team?: string | undefined;
  readonly 'ca-file'?: string | undefined;
}

/** Flags before environment before the stored login. */
export async function readSettings(world: World, flags: GlobalFlags): Promise<Settings> {
  const given = { url: flags.url ?? world.env.SFT_URL, team: flags.team ?? world.env.SFT_TEAM };
  const needsLogin = given.url === undefined || given.team === undefined;
  const login = needsLogin || !flags['ca-file'] ? await readLogin(world) : undefined;
  const url = given.url ?? login?.url;
  if (url === undefined || url === '')
    throw notConfigured('No service is known.', '--url URL', 'SFT_URL');
  const team = given.team ?? login?.team;
  if (team === undefined || team === '')
    throw notConfigured('No team is known.', '--team TEAM', 'SFT_TEAM');
  const stored = login !== undefined && sameService(login, url) ? login.ca_file : undefined;
  const caFile = flags['ca-file'] ?? stored;
  return { url: serviceUrl(url), team, ca: caFile && (await readCa(world, caFile)) };
}

export const notLoggedIn = ({ url, team }: Settings): Failure =>
  new Failure(
    'unauthenticated',
    `Not logged in to ${url.origin} as a member of ${team}.`,
    'Run `sft login`, or set SFT_TOKEN_FILE.',
  );

/** @param path `-` is standard input. */
export async function readTokenFile(world: World, path: string): Promise<string> {
  try {
    const text = path === '-' ? await world.files.stdin() : await world.files.read(path);
    return checkedToken(text, path === '-' ? 'standard input' : path);
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw unreadable(path, error);
  }
}

/** RFC 6750 §2.1; the text itself is in no message. */
export function checkedToken(text: string, source: string): string {
  const token = text.trim();
  if (/^[A-Za-z0-9._~+/_-]{1,512}=*$/.test(token)) return token;
  throw new Failure(
    'configuration',
    `What ${source} holds is not a token.`,
    'A token is one line of letters, digits and ._~+/-; ask an administrator for one.',
  );
}

/** @throws Failure 78 for what is no URL, and for `http:` to anything but this machine. */
export function serviceUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol) || url.username !== '')
    throw new Failure(
      'configuration',
      `${text} is not the URL of a service.`,
      'Pass one such as https://postern.example.com with --url or SFT_URL.',
    );
  if (!isSafeUrl(url))
    throw new Failure(
      'configuration',
      `${url.origin} would send the token in the clear.`,
      'Use https:; http: is only for a service on this machine.',
    );
  return url;
}

/** Nobody on the way reads what is sent there. */
export const isSafeUrl = ({ protocol, hostname }: URL): boolean =>
  protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);

export const sameService = (login: Pick<StoredLogin, 'url'>, url: string): boolean =>
  URL.canParse(url) && URL.canParse(login.url) && new URL(url).href === new URL(login.url).href;

async function readCa(world: World, path: string): Promise<string> {
  try {
    return await world.files.read(path);
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** What a file that was named cannot be read for: a setting, or an argument. */
export function unreadable(
  path: string,
  error: unknown,
  kind: 'configuration' | 'usage' = 'configuration',
): Failure {
  const code = (error as { code?: unknown }).code;
  const why = code === 'ENOENT' ? 'does not exist' : `cannot be read (${String(code)})`;
  return new Failure(kind, `${path} ${why}.`, 'Name a file that you can read.');
}

const notConfigured = (detail: string, flag: string, variable: string): Failure =>
  new Failure(
    'configuration',
    detail,
    `Pass ${flag}, set ${variable}, or log in once with \`sft login --url URL --team TEAM\`.`,
  );
