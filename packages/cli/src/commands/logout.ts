import { apiOf } from '../api/client.ts';
import { command } from '../command.ts';
import type { World } from '../context.ts';
import { Failure } from '../failure.ts';
import { type Login, readLogin, removeLogin } from '../login-store.ts';
import { lines } from '../render/view.ts';
import { readSettings } from '../settings.ts';

export const logout = command({
  summary: 'End the stored token at the service, and forget it here',
  async run({ world }) {
    const login = await readLogin(world);
    if (login === undefined) return { was_logged_in: false };
    await removeLogin(world);
    await endToken(world, login);
    return { was_logged_in: true };
  },
  view: lines<{ readonly was_logged_in: boolean }>((done) => [
    done.was_logged_in ? 'Logged out.' : 'You were not logged in.',
  ]),
});

/** A token that the service refuses already is ended as well. */
async function endToken(world: World, login: Login): Promise<void> {
  try {
    const flags = { url: login.url, team: login.team, 'ca-file': login.ca_file };
    const settings = await readSettings(world, flags);
    const api = apiOf(world, settings, Promise.resolve(login.token));
    const { token } = await api.call('whoami', {});
    await api.call('revokeToken', { params: { id: token.id } });
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === 'unauthenticated') return;
    throw new Failure(
      error.code,
      `The token is forgotten here, but not ended at the service: ${error.detail}`,
      'It still works until it expires; ask an administrator to revoke it.',
    );
  }
}
