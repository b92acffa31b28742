import { type Api, apiOf } from '../api/client.ts';
import { bearer } from '../authorize.ts';
import { command } from '../command.ts';
import type { World } from '../context.ts';
import { Failure } from '../failure.ts';
import { type Login, openLogin, readLogin, removeLogin, type StoredLogin } from '../login-store.ts';
import { lines } from '../render/view.ts';
import { readSettings, type Settings } from '../settings.ts';

export const logout = command({
  summary: 'End the stored login at the service, and forget it here',
  flags: {
    everywhere: { summary: 'end all your logins: of every machine, in every browser' },
  },
  async run({ world, flags: { everywhere } }) {
    const stored = await readLogin(world);
    if (stored === undefined && everywhere)
      throw new Failure(
        'unauthenticated',
        'You are not logged in here.',
        'Log in first: sft login. Or use the page of your account: /account',
      );
    if (stored === undefined) return { was_logged_in: false, everywhere };
    const login = await openedOrWhyNot(world, stored);
    // First the others: what is forgotten here can end nothing any more.
    if (everywhere) await (await apiFor(world, must(login))).call('endLogins', {});
    await removeLogin(world);
    if ('sealed' in stored)
      await (await import('../login-key.ts')).forgetKey(world, stored.sealed.key);
    await endLogin(world, login);
    return { was_logged_in: true, everywhere };
  },
  view: lines<{ readonly was_logged_in: boolean; readonly everywhere: boolean }>((done) => [
    !done.was_logged_in
      ? 'You were not logged in.'
      : done.everywhere
        ? 'Logged out everywhere.'
        : 'Logged out.',
  ]),
});

/** A login whose key is gone is forgotten like any other. */
const openedOrWhyNot = (world: World, stored: StoredLogin): Promise<Login | Failure> =>
  openLogin(world, stored).catch((error: unknown) => {
    if (error instanceof Failure && error.code === 'configuration') return error;
    throw error;
  });

function must(login: Login | Failure): Login {
  if (login instanceof Failure) throw login;
  return login;
}

const settingsOf = (world: World, { url, team, ca_file }: Login): Promise<Settings> =>
  readSettings(world, { url, team, 'ca-file': ca_file });

/** The service as whom is logged in here, whatever the environment says. */
async function apiFor(world: World, login: Login): Promise<Api> {
  const settings = await settingsOf(world, login);
  if ('token' in login) return apiOf(world, settings, bearer(login.token));
  const { authorizeWith } = await import('../oauth/authorize.ts');
  return apiOf(world, settings, authorizeWith(world, settings, login.oauth));
}

/** What the service refuses already is ended as well. */
async function endLogin(world: World, opened: Login | Failure): Promise<void> {
  try {
    const login = must(opened);
    const settings = await settingsOf(world, login);
    if ('oauth' in login) {
      const { revoke } = await import('../oauth/refresh.ts');
      return await revoke(world, settings, login.oauth);
    }
    const api = await apiFor(world, login);
    const { token } = await api.call('whoami', {});
    await api.call('revokeToken', { params: { id: token.id } });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'unauthenticated') return;
    throw new Failure(
      error.code,
      `The login is forgotten here, but not ended at the service: ${error.detail}`,
      'It still works until it expires; ask an administrator to revoke it.',
    );
  }
}
