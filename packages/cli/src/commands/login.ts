import type { WhoAmI } from '@postern/shared';
import { apiOf } from '../api/client.ts';
import { command } from '../command.ts';
import { Failure, usage } from '../failure.ts';
import { loginPath, writeLogin } from '../login-store.ts';
import { localTime } from '../render/duration.ts';
import { lines } from '../render/view.ts';
import { readSettings, readTokenFile } from '../settings.ts';

export const login = command({
  summary: 'Keep a token for the next commands',
  help: 'The token is checked at the service, then kept in a file that only you can read.',
  flags: {
    'token-file': { value: 'FILE', summary: 'the file that holds the token; - is standard input' },
    'no-browser': { summary: 'for later, when there is login in the browser' },
  },
  async run({ world, flags, globals }) {
    const file = flags['token-file'];
    if (file === undefined)
      throw usage(
        'Login in the browser is not there yet.',
        'Pass --token-file FILE with a token from an administrator.',
      );
    const token = await readTokenFile(world, file);
    const settings = await readSettings(world, globals);
    const who = await apiOf(world, settings, Promise.resolve(token)).call('whoami', {});
    const ca = globals['ca-file'];
    if (ca !== undefined && !ca.startsWith('/'))
      throw usage('--ca-file is not an absolute path.', 'Pass it absolute: it is kept too.');
    await save();
    return { ...who, url: settings.url.href };

    async function save(): Promise<void> {
      try {
        const kept = { url: settings.url.href, team: settings.team, token };
        await writeLogin(world, ca === undefined ? kept : { ...kept, ca_file: ca });
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
    `The token ends at ${localTime(who.token.expires_at)}.`,
  ]),
});
