import type { WhoAmI } from '@postern/shared';
import { apiOf } from '../api/client.ts';
import { bearer } from '../authorize.ts';
import { command } from '../command.ts';
import { hasDisplay, isInteractive, type World } from '../context.ts';
import { tokenVariable } from '../credentials.ts';
import { Failure, usage } from '../failure.ts';
import {
  type Kept,
  type Login,
  loginPath,
  type OauthTokens,
  replaceLogin,
  type StoredLogin,
} from '../login-store.ts';
import { localTime } from '../render/duration.ts';
import { lines } from '../render/view.ts';
import { readSettings, readTokenFile, type Settings } from '../settings.ts';

export const login = command({
  summary: 'Log in, in the browser or with a code, for the next commands',
  help: [
    'The login is kept in a file that only you can read, sealed under a key in the keychain of the',
    'system where there is one (SFT_KEYCHAIN=off: without). With --token-file, a token from an',
    'administrator is kept instead.',
  ].join('\n'),
  flags: {
    'token-file': { value: 'FILE', summary: 'the file that holds the token; - is standard input' },
    'no-browser': { summary: 'log in with a code in a browser elsewhere' },
  },
  async run({ world, flags, globals, say }) {
    const ca = globals['ca-file'];
    if (ca !== undefined && !ca.startsWith('/'))
      throw usage('--ca-file is not an absolute path.', 'Pass it absolute: it is kept too.');
    const { isOff, freshKey, forgetKey } = await import('../login-key.ts');
    // What is wrong with the settings is said before anybody logs in.
    isOff(world);
    const file = flags['token-file'];
    const token = file === undefined ? undefined : await readTokenFile(world, file);
    const settings = await readSettings(world, globals);
    const secrets =
      token === undefined
        ? { oauth: await logIn({ world, settings, say }, flags['no-browser']) }
        : { token };
    const who = await apiOf(world, settings, await authorizeBy(secrets)).call('whoami', {});
    // Before the lock: it may wait for a person.
    const kept = await freshKey(world);
    await save(kept);
    const variable = tokenVariable(world);
    if (variable !== undefined)
      say(`${variable} is set and goes before this login: unset it to use the login.`);
    return { ...who, url: settings.url.href, kept_in: kept === 'file' ? 'file' : 'keychain' };

    async function authorizeBy(held: { token: string } | { oauth: OauthTokens }) {
      if ('token' in held) return bearer(held.token);
      const { authorizeWith } = await import('../oauth/authorize.ts');
      return authorizeWith(world, settings, held.oauth);
    }

    async function save(kept: Kept): Promise<void> {
      const place = { url: settings.url.href, team: settings.team };
      const whole: Login = { ...place, ...secrets, ...(ca !== undefined && { ca_file: ca }), kept };
      let before: StoredLogin | undefined;
      try {
        before = await replaceLogin(world, whole);
      } catch (error) {
        if (typeof kept === 'object') await forgetKey(world, kept.id);
        if (world.interrupt.aborted) throw error;
        throw new Failure(
          'configuration',
          `${loginPath(world)} cannot be written (${String((error as { code?: unknown }).code)}).`,
          'Make its folder writable for you, or set SFT_TOKEN_FILE instead of logging in.',
        );
      }
      // The new login stands: nothing needs the key of the old one any more.
      if (before !== undefined && 'sealed' in before) await forgetKey(world, before.sealed.key);
    }
  },
  view: lines<WhoAmI & { readonly url: string; readonly kept_in: string }>((who) => [
    `Logged in to ${who.url} as ${who.user.name} (${who.user.login}), team ${who.team}.`,
    `The login ends at ${localTime(who.token.expires_at)}. Kept in: ${who.kept_in}.`,
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
