import type { WhoAmI } from '@postern/shared';
import { apiOf } from '../api/client.ts';
import { bearer } from '../authorize.ts';
import { command } from '../command.ts';
import { isInteractive, type World } from '../context.ts';
import { Failure, usage } from '../failure.ts';
import { type Login, loginPath, type OauthTokens, writeLogin } from '../login-store.ts';
import { localTime } from '../render/duration.ts';
import { lines } from '../render/view.ts';
import { readSettings, readTokenFile, type Settings } from '../settings.ts';

export const login = command({
  summary: 'Log in, in the browser or with a code, for the next commands',
  help: 'The login is kept in a file that only you can read. With --token-file, a token from an administrator is kept instead.',
  flags: {
    'token-file': { value: 'FILE', summary: 'the file that holds the token; - is standard input' },
    'no-browser': { summary: 'log in with a code in a browser elsewhere' },
  },
  async run({ world, flags, globals, say }) {
    const ca = globals['ca-file'];
    if (ca !== undefined && !ca.startsWith('/'))
      throw usage('--ca-file is not an absolute path.', 'Pass it absolute: it is kept too.');
    const file = flags['token-file'];
    const token = file === undefined ? undefined : await readTokenFile(world, file);
    const settings = await readSettings(world, globals);
    const kept =
      token === undefined
        ? { oauth: await logIn({ world, settings, say }, flags['no-browser']) }
        : { token };
    const who = await apiOf(world, settings, await authorizeBy(kept)).call('whoami', {});
    await save();
    return { ...who, url: settings.url.href };

    async function authorizeBy(held: { token: string } | { oauth: OauthTokens }) {
      if ('token' in held) return bearer(held.token);
      const { authorizeWith } = await import('../oauth/authorize.ts');
      return authorizeWith(world, settings, held.oauth);
    }

    async function save(): Promise<void> {
      const place = { url: settings.url.href, team: settings.team };
      const whole: Login = { ...place, ...kept, ...(ca !== undefined && { ca_file: ca }) };
      try {
        await writeLogin(world, whole);
      } catch (error) {
        throw new Failure(
          'configuration',
          `${loginPath(world)} cannot be written (${String((error as { code?: unknown }).code)}).`,
          'Make its folder writable for you, or set SFT_TOKEN_FILE instead of logging in.',
        );
      }
    }
  },
  view: lines<WhoAmI & { readonly url: string }>((who) => [
    `Logged in to ${who.url} as ${who.user.name} (${who.user.login}), team ${who.team}.`,
    `The login ends at ${localTime(who.token.expires_at)}.`,
  ]),
});

interface Asking {
  readonly world: World;
  readonly settings: Settings;
  readonly say: (line: string) => void;
}

async function logIn(asking: Asking, noBrowser: boolean): Promise<OauthTokens> {
  const { world } = asking;
  if (!noBrowser && !isInteractive(world))
    throw new Failure(
      'configuration',
      'Nobody is at a terminal here to log in.',
      'Run `sft login` in a terminal, or pass --no-browser or --token-file FILE.',
    );
  const { logInByBrowser, logInByCode } = await import('../oauth/log-in.ts');
  const byCode = noBrowser || Boolean(world.env.SFT_NO_BROWSER) || !hasDisplay(world);
  return byCode ? await logInByCode(asking) : await logInByBrowser(asking);
}

/** Whether a browser of this machine would be seen by whoever sits at the terminal. */
function hasDisplay({ env, platform }: World): boolean {
  if (env.SSH_CONNECTION !== undefined) return false;
  if (platform === 'darwin' || platform === 'win32') return true;
  return Boolean(env.DISPLAY) || Boolean(env.WAYLAND_DISPLAY);
}
